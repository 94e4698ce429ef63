"""Texts to unit vectors with a sentence-transformers model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.checks import FloatArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.batches import plan_batches
from workbench.models.locate import Located
from workbench.models.runtime import device, fast_cpu_dtype, quiet, reason, resolve_dtype, torch_dtype
from workbench.progress import Progress

# Larger batches are no faster on a CPU, and one of each length is padded: of 1,024, 2,048 and 4,096 this was best.
_BATCH_TOKENS = {"cpu": 1024, "cuda": 65536}
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

    Each text is cut at the model's own maximum of tokens. Texts are sorted into batches of fixed shape
    (workbench.models.batches), so a vector doesn't depend on the texts beside it, to the bit, on one machine
    with one number of threads. Vectors equal those of `SentenceTransformer.encode` up to rounding.

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

    def definition(self) -> Definition:
        return self._definition

    def encode(self, texts: Sequence[str], progress: Progress) -> FloatArray:
        """Unit rows, float32 (n, dimension); progress advances by characters of text."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        ids = self._tokenize(texts)
        lengths = np.array([len(i) for i in ids], dtype=np.int64)
        for batch in plan_batches(lengths, self._max_tokens, _BATCH_TOKENS[self._device], padded=True):
            vectors[batch.rows] = self._run([ids[i] for i in batch.rows], batch.length, batch.n_rows)
            progress.advance(sum(len(texts[i]) for i in batch.rows))
        return vectors

    def _run(self, ids: list[list[int]], length: int, n_rows: int) -> FloatArray:
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
            raw = out["sentence_embedding"][: len(ids)].float().cpu().numpy()
        # Again in float32: the model's own normalisation ran in its dtype, or isn't there.
        norms = np.linalg.norm(raw, axis=1, keepdims=True)
        return np.asarray(raw / np.maximum(norms, 1e-12), dtype=np.float32)

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with special tokens, at most `max_tokens` each.

        A long text is cut before it is tokenised: 256 tokens of a document of 50 MB need no 50 MB tokenised.
        """
        prefix = self._max_tokens * _PREFIX_CHARS
        ids: list[list[int]] = []
        step = max(1, _TOKENIZE_CHARS // prefix)
        for start in range(0, len(texts), step):
            chunk = [self._prompt + text for text in texts[start : start + step]]
            found = self._ids([text[:prefix] for text in chunk])
            for text, one in zip(chunk, found, strict=True):
                whole = len(text) <= prefix or len(one) == self._max_tokens
                ids.append(one if whole else self._ids([text])[0])
        return ids

    def _ids(self, texts: list[str]) -> list[list[int]]:
        found = self._model.tokenizer(texts, truncation=True, max_length=self._max_tokens, padding=False)[
            "input_ids"
        ]
        # A tokenizer without special tokens gives nothing for an empty text; a row needs one token.
        return [list(one) or [0] for one in found]


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
            f"model {located.id!r} is no transformer ({type(model[0]).__name__}), which isn't supported yet; "
            f"give the folder of a transformer encoder"
        )
    return model.eval()


def _max_tokens(located: Located) -> int | None:
    """What the model's own settings say, None if they don't: then the library's default for it."""
    path = located.folder / "sentence_bert_config.json"
    if not path.is_file():
        return None
    value = json.loads(path.read_text(encoding="utf-8")).get("max_seq_length")
    return None if value is None else int(value)
