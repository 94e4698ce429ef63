"""Texts to unit vectors with a sentence-transformers model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from workbench.checks import FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.embedding.vectors import Batcher, Chunks, cut, make_chunks
from workbench.models.locate import Located
from workbench.models.runtime import device, fast_cpu_dtype, quiet, reason, resolve_dtype, torch_dtype
from workbench.models.tokens import FileTokenizer
from workbench.progress import Progress

# On a CPU a batch has to stay in the cache, and one of each length is filled up with dummy rows: on one thread of a
# Xeon 256 documents took 10.3 s with 512, 10.7 with 256, 11.3 with 1,024 and 13.1 with 2,048, the same to the bit.
_BATCH_TOKENS = {"cpu": 512, "cuda": 65536}
# Of a model that states no maximum.
_MAX_TOKENS = 512
# A text is cut off at this many characters a token before it is tokenised, if what is left gives all tokens.
_PREFIX_CHARS = 16
_TOKENIZE_CHARS = 1_000_000


def embedder_definition(located: Located, dtype: str | None = None) -> Definition:
    """Everything that decides the vectors; the weights are digested, not loaded."""
    return {
        "kind": "embedder",
        "id": located.id,
        "revision": located.revision,
        "dtype": resolve_dtype(dtype, fast_cpu_dtype()),
        "max_tokens": _max_tokens(located),
        "normalised": True,
        "files": located.digests(),
    }


class SentenceEmbedder:
    """A sentence-transformers model (or a plain encoder, then mean-pooled) that gives unit rows.

    Each text is cut at the model's own maximum of tokens, or into chunks of that. Texts are sorted into batches of
    fixed shape (workbench.models.batches), so a vector doesn't depend on the texts beside it, to the bit, on one
    machine with one number of threads. Vectors equal those of `SentenceTransformer.encode` up to rounding.

    Raises
    ------
    ModelError
        If the folder can't be loaded as an embedder, or wants to run code of its own.
    """

    def __init__(
        self, located: Located, dtype: str | None = None, definition: Definition | None = None
    ) -> None:
        self._definition = definition if definition is not None else embedder_definition(located, dtype)
        self._device = device()
        self._model = _load(located, str(self._definition["dtype"]), self._device)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self._max_tokens = int(self._model.max_seq_length or _MAX_TOKENS)
        name = self._model.default_prompt_name
        self._prompt = self._model.prompts[name] if name else ""
        self._before, self._after = _special_tokens(self._model.tokenizer)
        self._located = located
        self._batcher = Batcher(
            self._run,
            self._max_tokens,
            _BATCH_TOKENS[self._device],
            padded=True,
            where=self._device,
            model=self._model,
        )

    def definition(self) -> Definition:
        return self._definition

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        return self._batcher.encode(self._chunks(texts, max_chunks), texts, self.dimension, progress)

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        prompt = self._ids([self._prompt], self._max_tokens, special=False)[0] if self._prompt else []
        room = self._max_tokens - len(self._before) - len(self._after) - len(prompt)
        return -(-self._counter.count(texts) // max(room, 1))

    @cached_property
    def _counter(self) -> FileTokenizer:
        """Counts the tokens of whole texts, however long."""
        return FileTokenizer(self._located)

    def _chunks(self, texts: Sequence[str], max_chunks: int) -> Chunks:
        """Each text's first `max_tokens` tokens, or up to `max_chunks` times as many in chunks."""
        whole = self._tokenize([self._prompt + text for text in texts], self._max_tokens)
        pieces = [[(one, len(one))] for one in whole]
        long = [i for i, one in enumerate(whole) if max_chunks > 1 and len(one) == self._max_tokens]
        if long:
            prompt = self._ids([self._prompt], self._max_tokens, special=False)[0] if self._prompt else []
            before = [*self._before, *prompt]
            room = max(self._max_tokens - len(before) - len(self._after), 1)
            own = self._tokenize([texts[i] for i in long], room * max_chunks, special=False)
            for i, ids in zip(long, own, strict=True):
                if len(ids) > room:
                    pieces[i] = [([*before, *p, *self._after], len(p)) for p in cut(ids, room, max_chunks)]
        return make_chunks(pieces)

    def _run(self, ids: list[Sequence[int]], length: int, n_rows: int) -> FloatArray:
        """Vectors of one batch."""
        import torch

        tokens = np.full((n_rows, length), self._model.tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros((n_rows, length), dtype=np.int64)
        # A dummy row is one token, or as full as the others where all are full (see plan_batches).
        mask[:, : length if len(ids[0]) == length else 1] = 1
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = one
            mask[row, : len(one)] = 1
        with torch.inference_mode():
            features = {"input_ids": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask)}
            out = self._model({name: array.to(self._device) for name, array in features.items()})
            # The caller normalises again in float32: the model's own ran in its dtype, or isn't there.
            return np.asarray(out["sentence_embedding"][: len(ids)].float().cpu().numpy())

    def _tokenize(self, texts: Sequence[str], max_tokens: int, *, special: bool = True) -> list[list[int]]:
        """The first `max_tokens` token ids of each text, special tokens among them if asked for.

        A long text is cut before it is tokenised: 256 tokens of a document of 50 MB need no 50 MB tokenised.
        """
        prefix = max_tokens * _PREFIX_CHARS
        ids: list[list[int]] = []
        step = max(1, _TOKENIZE_CHARS // prefix)
        for start in range(0, len(texts), step):
            chunk = texts[start : start + step]
            found = self._ids([text[:prefix] for text in chunk], max_tokens, special=special)
            for text, one in zip(chunk, found, strict=True):
                whole = len(text) <= prefix or len(one) == max_tokens
                ids.append(one if whole else self._ids([text], max_tokens, special=special)[0])
        return ids

    def _ids(self, texts: list[str], max_tokens: int, *, special: bool) -> list[list[int]]:
        found = self._model.tokenizer(
            texts, truncation=True, max_length=max_tokens, padding=False, add_special_tokens=special
        )["input_ids"]
        # A tokenizer without special tokens gives nothing for an empty text; a row needs one token.
        return [list(one) or [0] for one in found]


def _special_tokens(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The tokens that a tokenizer puts before and after a text."""
    found = tokenizer("a", return_special_tokens_mask=True)
    ids, special = list(found["input_ids"]), np.array(found["special_tokens_mask"], dtype=bool)
    own = np.flatnonzero(~special)
    return (ids[: own[0]], ids[own[-1] + 1 :]) if len(own) else ([], [])


def _load(located: Located, dtype: str, where: str) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        with quiet():
            model = SentenceTransformer(
                str(located.folder),
                device=where,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": torch_dtype(dtype), "use_safetensors": True},
            )
    except Exception as error:
        raise ModelError(
            f"model {located.id!r} can't be loaded as an embedder ({reason(error)}); "
            f"give the folder of a sentence-transformers model"
        ) from error
    if not hasattr(model[0], "auto_model"):
        raise ModelError(
            f"model {located.id!r} is no transformer ({type(model[0]).__name__}); "
            f"name a static model as static:FOLDER, else give the folder of a transformer encoder"
        )
    return model.eval()


def _max_tokens(located: Located) -> int | None:
    """What the model's own settings say, None if they don't: then the library's default for it."""
    path = located.folder / "sentence_bert_config.json"
    if not path.is_file():
        return None
    value = json.loads(path.read_text(encoding="utf-8")).get("max_seq_length")
    return None if value is None else int(value)
