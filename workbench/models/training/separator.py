"""A given tokenizer for a model to be trained, and the token that stands before each of its documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.errors import ModelError
from workbench.models.locate import Located, locate
from workbench.models.tokens import load_backend, starting_token

# In the order in which they are taken: GPT-2's, SmolLM2's and NeoX'; Llama 3's; Llama 2's and OPT's; Gemma's.
_USUAL = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>")


def find_tokenizer(name: str) -> Any:
    """The `tokenizers.Tokenizer` of a tokenizer.json, of a folder with one, or of a model that `locate` finds.

    Raises
    ------
    ModelError
        If there is none, or it can't be read.
    """
    path = Path(name).expanduser()
    folder = path.parent if path.name == "tokenizer.json" else path
    if (folder / "tokenizer.json").is_file():
        return load_backend(Located(folder.resolve().name, folder, ("tokenizer.json",)))
    return load_backend(locate(name, "lm"))


def vocabulary_size(backend: Any) -> int:
    """One more than the largest id: some vocabularies have holes."""
    return 1 + max(backend.get_vocab(with_added_tokens=True).values(), default=-1)


def separator(backend: Any) -> tuple[str, int]:
    """The token between documents, and its id: what the tokenizer prepends, else a usual end of text.

    It is the token that scoring finds too (workbench.models.lm.causal), so that a document begins there as in training.

    Raises
    ------
    ModelError
        If there is none.
    """
    starting = starting_token(backend)
    if starting is not None:
        return str(backend.id_to_token(starting)), starting
    added = {token.content: i for i, token in backend.get_added_tokens_decoder().items()}
    for token in _USUAL:
        if token in added:
            return token, int(added[token])
    raise ModelError(
        f"the tokenizer has no token that separates documents; give one with any of {', '.join(_USUAL)} as a special "
        "token, or leave it out to have one trained"
    )
