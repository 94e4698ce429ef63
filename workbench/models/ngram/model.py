"""An n-gram model that scores documents in CCNet's way: a folder, and what reads it.

The folder holds `ngram.json` (what the model is), the ARPA file and, where words are pieces, the tokenizer. One that
`workbench train-ngram` wrote is complete; around a published model (CCNet's en.arpa.bin and en.sp.model) only
`ngram.json` has to be written: {"format": "ngram-model/1", "arpa": "en.arpa.bin", "tokenizer": "en.sp.model",
"newline_mode": "ccnet"}.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray
from workbench.errors import InputError, ModelError
from workbench.files import parse_json
from workbench.models.base import Definition
from workbench.models.locate import Located
from workbench.models.ngram.backoff import END, START, UNKNOWN_ID, escaped, sentence_sums
from workbench.models.ngram.ccnet_text import NewlineMode, check_newline_mode, lines_of
from workbench.models.runtime import reason
from workbench.models.tokens import BATCH_CHARS, safe_pieces
from workbench.progress import Progress

NGRAM_FILE = "ngram.json"
NGRAM_FORMAT = "ngram-model/1"
SPLIT_FILE = "split.json"
NO_MODEL = (
    "an n-gram score needs an n-gram model, of which there is no default; train one with "
    "`workbench train-ngram CORPUS --out FOLDER`, then give its folder with --ngram"
)
_PLAIN_NAME = re.compile(r"[\w-][\w.-]*")

Words = Callable[[Sequence[str]], list[list[str]]]
"""Cuts normalised lines into the words of an n-gram model, escaped."""


def locate_ngram(name: str | None) -> Located:
    """Find an n-gram model by the path of its folder.

    Raises
    ------
    ModelError
        If no name is given, the folder isn't an n-gram model, or lacks one of the files that it names.
    """
    if not name:
        raise ModelError(NO_MODEL)
    folder = Path(name).expanduser()
    settings = read_settings(folder)
    files = [NGRAM_FILE, *(file for key in ("arpa", "tokenizer") if (file := settings.get(key)))]
    for file in files:
        if not (folder / file).is_file():
            raise ModelError(f"the n-gram model {folder} lacks its file {file}; get the complete folder")
    # What it was trained on decides the score that says so.
    files += [SPLIT_FILE] if (folder / SPLIT_FILE).is_file() else []
    return Located(folder.resolve().name, folder, tuple(sorted(files)))


def read_settings(folder: Path) -> dict[str, Any]:
    """What ngram.json says, checked.

    Raises
    ------
    ModelError
        If there is none, or it isn't an n-gram model's.
    """
    try:
        settings = parse_json((folder / NGRAM_FILE).read_bytes())
    except (OSError, ValueError):
        raise ModelError(
            f"{folder} is no n-gram model: it holds no {NGRAM_FILE} that can be read; {NO_MODEL}"
        ) from None
    found = settings.get("format") if isinstance(settings, dict) else None
    if found != NGRAM_FORMAT:
        raise ModelError(
            f"{folder / NGRAM_FILE} has the format {found!r}, this workbench reads {NGRAM_FORMAT!r}"
        )
    for key in ("arpa", "tokenizer"):
        file = settings.get(key)
        if not (isinstance(file, str) and _PLAIN_NAME.fullmatch(file)) and not (
            key == "tokenizer" and file is None
        ):
            raise ModelError(
                f"{folder / NGRAM_FILE} has {key} {str(file)[:80]!r}; it must be the plain name of a file there"
            )
    try:
        check_newline_mode(str(settings.get("newline_mode")))
    except InputError as error:
        raise ModelError(f"{folder / NGRAM_FILE}: {error}") from None
    return dict(settings)


def ngram_definition(located: Located) -> Definition:
    """What decides the numbers: the files, how text becomes words, and what reads the probabilities."""
    settings = read_settings(located.folder)
    return {
        "kind": "ngram",
        "id": located.id,
        "files": located.digests(),
        "normalization": "ccnet",
        "newline_mode": settings["newline_mode"],
        "arpa": settings["arpa"],
        "tokenizer": settings.get("tokenizer"),
        "scorer": _scorer(settings["arpa"]),
    }


def _scorer(arpa: str) -> str:
    """KenLM where the package is there and can read the file (its wheels can't unpack), else our own reader."""
    if arpa.endswith(".gz"):
        return "own"
    if importlib.util.find_spec("kenlm") is not None:
        return "kenlm"
    if arpa.endswith(".bin"):
        raise ModelError(f"{arpa} can only be read by KenLM; install it with: pip install ufal-kenlm")
    return "own"


class NgramLM:
    """An n-gram model, loaded.

    Parameters
    ----------
    located
        From `locate_ngram`.
    definition
        From `ngram_definition`, or a manifest's; its `scorer` is the one that is used.

    Raises
    ------
    ModelError
        If a file can't be read, or a library that the definition needs isn't installed.
    """

    def __init__(self, located: Located, definition: Definition) -> None:
        self._definition = definition
        # The names of files come from the folder, where they were checked; a manifest's could lead elsewhere.
        settings = read_settings(located.folder)
        self._mode: NewlineMode = settings["newline_mode"]
        tokenizer = settings.get("tokenizer")
        self._words = load_words(tokenizer and located.folder / tokenizer)
        load = _kenlm_scorer if definition["scorer"] == "kenlm" else _own_scorer
        self._score = load(located.folder / settings["arpa"])

    def definition(self) -> Definition:
        return self._definition

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        """`log10_prob` float64 and `n_words` int64, each (n,), of a document's lines in all.

        A line's words count one more than they are, for the end of the line, as in CCNet; 0 where a text has none.
        It doesn't depend on the texts beside it, to the bit.
        """
        scores, lengths = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int64)
        for rows, lines in line_batches(texts, self._mode, progress):
            if lines:
                words = self._words(lines)
                np.add.at(lengths, rows, [len(line) + 1 for line in words])
                np.add.at(scores, rows, self._score(words))
        return {"log10_prob": scores, "n_words": lengths}


def line_batches(
    texts: Sequence[str], mode: NewlineMode, progress: Progress
) -> Iterator[tuple[list[int], list[str]]]:
    """Normalised lines with the rows of their documents, about BATCH_CHARS at a time."""
    rows: list[int] = []
    lines: list[str] = []
    n_chars = 0
    for i, text in enumerate(texts):
        found = lines_of(text, mode)
        rows += [i] * len(found)
        lines += found
        n_chars += len(text)
        if n_chars >= BATCH_CHARS or i == len(texts) - 1:
            yield rows, lines
            progress.advance(n_chars)
            rows, lines, n_chars = [], [], 0


def load_words(tokenizer: Path | None) -> Words:
    """What cuts lines into words: white space, a tokenizer.json, or a SentencePiece .model.

    Raises
    ------
    ModelError
        If the tokenizer can't be read, or is a .model and the package sentencepiece isn't installed.
    """
    if tokenizer is None:
        return lambda lines: [escaped(line.split()) for line in lines]
    try:
        if tokenizer.suffix == ".model":
            return _sentencepiece_words(tokenizer)
        import tokenizers

        return tokenizer_words(tokenizers.Tokenizer.from_file(str(tokenizer)))
    except ModuleNotFoundError:
        raise ModelError(
            f"{tokenizer.name} is a SentencePiece model; install its reader with: pip install sentencepiece"
        ) from None
    except Exception as error:
        # The libraries raise whatever they like on a damaged file.
        raise ModelError(
            f"{tokenizer.name} is no tokenizer that can be read ({reason(error)}); "
            "give a tokenizer.json or a SentencePiece .model"
        ) from error


def tokenizer_words(backend: Any) -> Words:
    """Words by a `tokenizers.Tokenizer`, which takes text that looks like a special token as text."""
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    vocabulary = backend.get_vocab(with_added_tokens=True)
    names = dict(zip(vocabulary.values(), escaped(list(vocabulary)), strict=True))

    def words(lines: Sequence[str]) -> list[list[str]]:
        out: list[list[str]] = [[] for _ in lines]
        pieces = [(i, piece) for i, line in enumerate(lines) for _, piece in safe_pieces(backend, line)]
        encoded = backend.encode_batch_fast([piece for _, piece in pieces], add_special_tokens=False)
        for (i, _), one in zip(pieces, encoded, strict=True):
            out[i] += [names[token] for token in one.ids]
        return out

    return words


def _sentencepiece_words(path: Path) -> Words:
    import sentencepiece

    processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return lambda lines: [escaped(processor.encode(line, out_type=str)) for line in lines]


def _kenlm_scorer(path: Path) -> Callable[[list[list[str]]], FloatArray]:
    try:
        import kenlm
    except ModuleNotFoundError:
        raise ModelError(
            f"{path.name} is to be read by KenLM, which isn't there; install it with: pip install ufal-kenlm"
        ) from None
    config: Any = kenlm.Config()
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    try:
        model: Any = kenlm.Model(str(path), config)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"{path.name} can't be read by KenLM ({reason(error)[:200]}); get the n-gram model again"
        ) from error

    def total(line: list[str]) -> float:
        # The library's own sum is in float32: of a repetitive line of 5,000 words it was off by 3e-5, and longer ones
        # are worse.
        return float(sum([prob for prob, _, _ in model.full_scores(" ".join(line))]))

    return lambda lines: np.array([total(line) for line in lines], dtype=np.float64)


def _own_scorer(path: Path) -> Callable[[list[list[str]]], FloatArray]:
    from workbench.models.ngram.arpa import read_arpa

    model = read_arpa(path)

    def score(lines: list[list[str]]) -> FloatArray:
        ids = model.ids
        stream = [ids.get(word, UNKNOWN_ID) for line in lines for word in (START, *line, END)]
        # int64 also where there is no line at all
        return sentence_sums(
            model.log10_probs(np.array(stream, dtype=np.int64)), np.array(stream, dtype=np.int64)
        )

    return score
