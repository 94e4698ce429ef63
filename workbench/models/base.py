"""What the workbench asks of a model: a tokenizer, an embedder, a causal language model, an n-gram model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.checks import Array, FloatArray, IntArray
from workbench.progress import Progress

Definition = Mapping[str, str | int | float | bool | Mapping[str, str] | None]
"""Everything that decides a model's numbers, as JSON: id, SHA-256 of each file that counts, tokenizer, dtype,
pooling, truncation, window. It becomes part of a column's key in the store and of the manifest."""


class Tokenizer(Protocol):
    """Counts tokens."""

    def definition(self) -> Definition: ...

    def count(self, texts: Sequence[str]) -> IntArray:
        """Tokens of each text without special tokens, int64 (n,)."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    dimension: int

    def definition(self) -> Definition: ...

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        """Unit rows, float32 (n, dimension), NaN where a text has no direction; progress advances by
        characters of text.

        Of a text longer than the model takes, `max_chunks` chunks at most are embedded and their unit vectors
        averaged, weighted by their tokens; with 1 the text is cut off. A text's vector doesn't depend on the
        texts beside it, to the bit, so that a sample and a corpus agree.
        """
        ...

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        """Chunks that the model's maximum of tokens cuts each text into, int64 (n,); 0 for an empty text."""
        ...


@dataclass(frozen=True)
class Surprisal:
    """How much the tokens of a text surprise a language model.

    Attributes
    ----------
    ends
        Where each token ends in its text, in characters, int64 (k,).
    bits
        Minus the binary logarithm of its probability given those before it, float64 (k,); NaN of a first token that is
        only read.
    """

    ends: IntArray
    bits: FloatArray


class CausalLM(Protocol):
    """Gives per-document log-likelihoods."""

    def definition(self) -> Definition: ...

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        """The score record, each (n,): `nll_sum` float64 in nats, `n_scored`, `n_truncated_tokens`,
        `n_bytes_scored` int64. It doesn't depend on the texts beside it, to the bit.
        """
        ...

    def surprisal(self, text: str, progress: Progress) -> Surprisal:
        """Of the tokens that `record` scores (a document's first); their sum is its `nll_sum`."""
        ...


class Ngram(Protocol):
    """Gives per-document log-probabilities by counts."""

    def definition(self) -> Definition: ...

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        """`log10_prob` float64 and `n_words` int64, each (n,), 0 where a text has no words; the words are the model's
        own, and each line's end is one. It doesn't depend on the texts beside it, to the bit.
        """
        ...
