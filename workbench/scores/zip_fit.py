"""ZIP-FIT: how well a document and the target texts compress together."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, check_at_least, keyed_uniform
from workbench.errors import InputError, WorkbenchWarning
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

Algorithm = Literal["gzip", "zstd", "lzma"]
_HIGHEST = {"gzip": 9, "zstd": 22, "lzma": 9}
_GZIP = 31  # zlib's number for deflate within gzip's header


@dataclass(frozen=True)
class ZipFitParams:
    """The compressor, and how many target texts are compared with.

    Attributes
    ----------
    algorithm
        "gzip" (the paper), or "zstd" (about three times as fast) or "lzma".
    level
        1 to 9 ("zstd": to 22). 0 stores without compressing: then nothing but the lengths would be compared.
    n_targets
        At least 1: of more target texts as many are drawn, by a hash of their ids. Each costs one compression a
        document.
    """

    algorithm: Algorithm = "gzip"
    level: int = 9
    n_targets: int = 100


@lru_cache(maxsize=8)
def _compressor(algorithm: Algorithm, level: int) -> Callable[[bytes], bytes]:
    if algorithm == "gzip":
        return lambda raw: zlib.compress(raw, level, wbits=_GZIP)
    if algorithm == "lzma":
        import lzma

        return lambda raw: lzma.compress(raw, preset=level)
    import zstandard

    return lambda raw: zstandard.ZstdCompressor(level=level).compress(raw)


def _version(algorithm: Algorithm) -> str:
    if algorithm == "gzip":
        return f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
    if algorithm == "lzma":
        return "lzma"
    import zstandard

    return "zstd {}.{}.{}".format(*zstandard.ZSTD_VERSION)


def check_compressor(algorithm: str, level: int) -> None:
    """Raise InputError unless there is such a compressor and it compresses at this level."""
    if algorithm not in _HIGHEST:
        raise InputError(f"algorithm must be gzip, zstd or lzma, got {algorithm!r}")
    if not 1 <= level <= _HIGHEST[algorithm]:
        raise InputError(
            f"level must lie in 1..{_HIGHEST[algorithm]} for {algorithm}, got {level}; 0 doesn't compress"
        )


def alignment(
    source: str, targets: Sequence[bytes], sizes: Sequence[int], algorithm: Algorithm = "gzip", level: int = 9
) -> float:
    """Mean over the targets of 1 minus the normalised compression distance to the source; higher is nearer.

    Parameters
    ----------
    source
        A text; NaN for the empty one.
    targets, sizes
        UTF-8 bytes of each target text, and of how many bytes it is compressed.

    Returns
    -------
    About 0..1; it may lie slightly outside. Of a text with itself it is below 1.

    Notes
    -----
    NCD(x, y) = (C(xy) - min(C(x), C(y))) / max(C(x), C(y)), C the size in bytes with the compressor's header, xy the
    source and the target one after the other.

    Examples
    --------
    >>> code = b"def add(a, b): return a + b"
    >>> size = len(zlib.compress(code, 9, wbits=31))
    >>> alignment("def add(x, y): return x + y", [code], [size]) > alignment("The sun has set.", [code], [size])
    True
    """
    raw = source.encode()
    if not raw:
        return float("nan")
    compress = _compressor(algorithm, level)
    own, total = len(compress(raw)), 0.0
    for target, size in zip(targets, sizes, strict=True):
        together = len(compress(raw + target))
        total += 1 - (together - min(own, size)) / max(own, size)
    return total / len(targets)


def fit(inputs: Inputs, params: ZipFitParams, seed: int) -> State:
    """The target texts that are compared with, and their compressed sizes.

    Returns
    -------
    bytes : uint8 (total,), their UTF-8 one after the other
    offsets : int64 (q + 1,)
    sizes : int64 (q,)
    compressor : uint8, its name and version

    Raises
    ------
    InputError
        If a param is out of range, or every target text is empty.
    """
    check_compressor(params.algorithm, params.level)
    check_at_least("n_targets", params.n_targets, 1)
    assert inputs.target is not None
    luck = keyed_uniform(seed, inputs.target.doc_ids, "zip_fit")
    texts = [inputs.target.texts[i].encode() for i in np.argsort(luck, kind="stable")]
    texts = [text for text in texts if text][: params.n_targets]
    if not texts:
        raise InputError("every text of the target is empty; give texts to compress with")
    compress = _compressor(params.algorithm, params.level)
    return {
        "bytes": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        "sizes": np.array([len(compress(text)) for text in texts], dtype=np.int64),
        "compressor": np.frombuffer(_version(params.algorithm).encode(), dtype=np.uint8),
    }


def compute(inputs: Inputs, params: ZipFitParams, state: State) -> Mapping[str, Array]:
    """`zip_fit_alignment`, float32 (n,): the mean `alignment` with the target texts; NaN for an empty text.

    Notes
    -----
    Obbad et al. 2024, arXiv:2410.18194. The released code's default, LZ4, isn't here, nor its level 0, with which gzip
    compresses nothing. gzip finds repetitions 32 KiB back: of longer documents only the end is compared. Length counts
    strongly, so compare documents of like length; copies all have the same alignment.
    """
    there, here = bytes(state["compressor"]).decode(), _version(params.algorithm)
    if there != here:
        warnings.warn(
            f"zip_fit_alignment was fitted with {there} and is computed with {here}: sizes may differ slightly",
            WorkbenchWarning,
            stacklevel=2,
        )
    whole, offsets = state["bytes"].tobytes(), state["offsets"].tolist()
    targets = [whole[a:b] for a, b in pairwise(offsets)]
    sizes = state["sizes"].tolist()
    found: npt.NDArray[np.float64] = np.array(
        [alignment(text, targets, sizes, params.algorithm, params.level) for text in inputs.texts]
    )
    return {"zip_fit_alignment": as_column(found)}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="zip_fit_alignment",
        version=1,
        title="ZIP-FIT: how well the text compresses together with the target texts",
        unit="1 - compression distance",
        better="higher",
        needs=("text", "target"),
        compute=compute,
        params=ZipFitParams,
        fit=fit,
        paper="Obbad et al. 2024, arXiv:2410.18194",
    ),
)
