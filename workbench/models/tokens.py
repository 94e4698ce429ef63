"""A model's own tokenizer, without its weights: counts, ids, and where the kept tokens end in the text.

A tokenizer turns a text of 50 MB into objects of several GB, so a long text is cut into pieces, but only
where the cut changes nothing: between two words, and only if the text around it gives the
same tokens in one piece and in two. Byte-level and word-piece tokenizers cut words at such a place before
they merge anything, so the pieces' tokens are the text's tokens. Where a tokenizer doesn't (SentencePiece),
the text is tokenised in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.checks import IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.gguf_file import read_once
from workbench.models.locate import Located
from workbench.models.runtime import quiet, reason
from workbench.models.token_cache import TokenCache, Tokens

# Of one call to the tokenizer: small enough that the objects it makes (about 150 bytes a token) stay small.
BATCH_CHARS = 1_000_000
PIECE_CHARS = 200_000
# Tokens of a text that are held for the models: no window reaches further by default.
HELD_TOKENS = 1 << 16
_CONTEXT_CHARS = 64
_TRIES = 20
# A space or line break between two letters, or the end of a Chinese or Japanese sentence.
_CUT = re.compile(r"(?<=[a-zA-Z]) (?=[a-zA-Z])|(?<=\w)\n(?=\w)|(?<=[。！？])(?=\w)")


@dataclass(frozen=True)
class Kept:
    """The first tokens of a text.

    Attributes
    ----------
    ids
        int64, at most as many as were asked for.
    n_tokens
        Of the whole text.
    n_bytes
        UTF-8 bytes of the text that `ids` cover. A character whose bytes fall into two tokens, of which only
        the first is kept, counts whole (at most 3 bytes too many).
    """

    ids: IntArray
    n_tokens: int
    n_bytes: int


class FileTokenizer:
    """The tokenizer of a located model, without special tokens.

    Text that looks like a special token ("<|endoftext|>" in a web page) is tokenised as the text that it is.
    """

    def __init__(
        self, located: Located, definition: Definition | None = None, cache: TokenCache | None = None
    ) -> None:
        self._definition = definition if definition is not None else tokenizer_definition(located)
        self._cache = cache or TokenCache()
        self.backend = untrimmed(load_backend(located))

    def definition(self) -> Definition:
        return self._definition

    def count(self, texts: Sequence[str]) -> IntArray:
        """Tokens of each text, int64 (n,).

        Where the cache keeps nothing on disk (a manifest is applied), tokens that no model asked for are
        counted and not held, which takes about half the time.
        """
        texts = [encodable(text) for text in texts]
        if self._cache.folder is not None:
            return self._tokens(texts).n_tokens
        tokens = self._cache.find(self._identity, texts)
        return self._count(texts) if tokens is None else tokens.n_tokens

    def keep(self, texts: Sequence[str], max_tokens: int, skip: int = 0) -> list[Kept]:
        """The first `max_tokens` tokens of each text; the first `skip` of them don't count as bytes."""
        tokens = self._tokens(texts) if max_tokens <= HELD_TOKENS else self._tokenise(texts, max_tokens)
        kept = []
        for i, (text, n_tokens) in enumerate(zip(texts, tokens.n_tokens.tolist(), strict=True)):
            ids, end = tokens.of(i, max_tokens)
            first = tokens.of(i, skip)[1]
            span = text[first:] if n_tokens <= max_tokens else text[first:end]
            kept.append(Kept(ids, n_tokens, len(encodable(span).encode())))
        return kept

    def first(self, text: str, max_tokens: int) -> tuple[IntArray, IntArray]:
        """The first `max_tokens` ids of a text, and where each of them ends in it, in characters; int64 both."""
        tokens = self._tokenise([encodable(text)], max_tokens)
        return tokens.ids.astype(np.int64), tokens.ends.astype(np.int64)

    @property
    def _identity(self) -> Definition:
        """What its files are decides, not where they stand: two models may have one tokenizer."""
        return {name: self._definition[name] for name in ("files", "special_tokens")}

    def _tokens(self, texts: Sequence[str]) -> Tokens:
        texts = [encodable(text) for text in texts]
        return self._cache.get(self._identity, texts, lambda: self._tokenise(texts, HELD_TOKENS))

    def _count(self, texts: Sequence[str]) -> IntArray:
        n_tokens = np.zeros(len(texts), dtype=np.int64)
        for batch in _batches(self.backend, texts):
            pieces = [piece for _, _, piece in batch]
            encoded = self.backend.encode_batch_fast(pieces, add_special_tokens=False)
            for (i, _, _), one in zip(batch, encoded, strict=True):
                n_tokens[i] += len(one)
        return n_tokens

    def _tokenise(self, texts: Sequence[str], limit: int) -> Tokens:
        """The first `limit` tokens of each text, and how many there are."""
        ids: list[list[IntArray]] = [[] for _ in texts]
        ends: list[list[IntArray]] = [[] for _ in texts]
        n_tokens = np.zeros(len(texts), dtype=np.int64)
        for batch in _batches(self.backend, texts):
            encoded = self.backend.encode_batch([piece for _, _, piece in batch], add_special_tokens=False)
            for (i, start, _), one in zip(batch, encoded, strict=True):
                wanted = limit - int(n_tokens[i])
                if wanted > 0:
                    ids[i].append(np.array(one.ids[:wanted], dtype=np.uint32))
                    ends[i].append(
                        np.array([end + start for _, end in one.offsets[:wanted]], dtype=np.uint32)
                    )
                n_tokens[i] += len(one)
        lengths = np.minimum(n_tokens, limit)
        return Tokens(_joined(ids), _joined(ends), np.concatenate([[0], np.cumsum(lengths)]), n_tokens)


def _joined(parts: list[list[IntArray]]) -> npt.NDArray[np.uint32]:
    return np.concatenate([np.zeros(0, dtype=np.uint32), *(part for one in parts for part in one)])


def encodable(text: str) -> str:
    """The text with each lone surrogate, which UTF-8 can't hold, as a replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def tokenizer_files(located: Located) -> tuple[str, ...]:
    """The files of a located model that decide how it tokenises."""
    if located.gguf is not None:
        return (located.gguf,)
    if "tokenizer.json" in located.files:
        return ("tokenizer.json",)
    return tuple(f for f in located.files if f.endswith((".txt", ".model")))


def tokenizer_definition(located: Located) -> Definition:
    """What decides the counts: the tokenizer's file and how text that looks like a special token is taken."""
    files = {name: located.digest(name) for name in tokenizer_files(located)}
    return {"id": located.id, "revision": located.revision, "special_tokens": "as text", "files": files}


def load_backend(located: Located) -> Any:
    """The `tokenizers.Tokenizer` of a model.

    tokenizer.json is read as it is rather than through a transformers class, which may rebuild it differently
    from one release to the next.

    Raises
    ------
    ModelError
        If the model has no tokenizer that can be read.
    """
    import tokenizers

    try:
        if "tokenizer.json" in located.files:
            backend = tokenizers.Tokenizer.from_file(str(located.folder / "tokenizer.json"))
        else:
            from transformers import AutoTokenizer

            extra = {"gguf_file": located.gguf} if located.gguf else {}
            with quiet(), read_once(located.gguf):
                slow = AutoTokenizer.from_pretrained(
                    str(located.folder), local_files_only=True, trust_remote_code=False, **extra
                )
            backend = slow.backend_tokenizer
    except Exception as error:
        raise ModelError(
            f"model {located.id!r} has no tokenizer that can be read ({reason(error)}); "
            f"add its tokenizer.json to the folder"
        ) from error
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    return backend


def starting_token(backend: Any) -> int | None:
    """The token that this tokenizer puts before a text, None if it puts none.

    Asked of the tokenizer itself: having a BOS token isn't the same as prepending it (GPT-2, Qwen).
    """
    ids = backend.encode("", add_special_tokens=True).ids
    return int(ids[0]) if ids else None


def untrimmed(backend: Any) -> Any:
    """Make offsets cover leading spaces: a byte-level post-processor trims them, and bytes would be lost."""
    from tokenizers.processors import ByteLevel

    backend.post_processor = ByteLevel(trim_offsets=False)
    return backend


def safe_pieces(backend: Any, text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text where that leaves its tokens as they are; yields (start, piece)."""
    start = 0
    search = PIECE_CHARS
    tries = _TRIES
    while len(text) - start > 2 * PIECE_CHARS and tries:
        found = _CUT.search(text, search)
        if found is None:
            break
        if _cut_is_exact(backend, text, found.start()):
            yield start, text[start : found.start()]
            start, tries = found.start(), _TRIES
            search = start + PIECE_CHARS
        else:
            search, tries = found.end(), tries - 1
    yield start, text[start:]


def _cut_is_exact(backend: Any, text: str, cut: int) -> bool:
    left, right = text[max(cut - _CONTEXT_CHARS, 0) : cut], text[cut : cut + _CONTEXT_CHARS]
    whole, first, second = (
        backend.encode(t, add_special_tokens=False).ids for t in (left + right, left, right)
    )
    return bool(whole == first + second)


def _batches(backend: Any, texts: Sequence[str]) -> Iterator[list[tuple[int, int, str]]]:
    """Pieces (document, start, piece) in groups of about BATCH_CHARS characters."""
    batch: list[tuple[int, int, str]] = []
    chars = 0
    for i, text in enumerate(texts):
        for start, piece in safe_pieces(backend, text):
            batch.append((i, start, piece))
            chars += len(piece)
            if chars >= BATCH_CHARS:
                yield batch
                batch, chars = [], 0
    if batch:
        yield batch
