"""ZIP-FIT (Obbad et al. 2024): compression distances, held against the standard library's gzip."""

from __future__ import annotations

import gzip
import lzma
import random
import string
import zlib
from typing import Any

import numpy as np
import pytest
import zstandard

from workbench.errors import InputError, WorkbenchWarning
from workbench.scores.base import Inputs
from workbench.scores.zip_fit import ZipFitParams, alignment, compute, fit

CODE = '''def moving_average(values, window):
    """Return the moving averages of a list of numbers."""
    averages, total = [], 0.0
    for i, value in enumerate(values):
        total += value
        if i >= window:
            total -= values[i - window]
        if i >= window - 1:
            averages.append(total / window)
    return averages
'''
NEAR = CODE.replace("moving_average", "running_mean").replace("window", "width")
PROSE = "The committee met on Thursday. It was raining, and nobody stayed long; the minutes will follow."
# A fixed seed gives the same letters in every version of Python that is supported.
RANDOM = "".join(random.Random(1).choices(string.ascii_lowercase + " ", k=len(CODE)))


def inputs_of(texts: list[str], target: list[str] | None = None, ids: list[str] | None = None) -> Inputs:
    ids = ids or [f"d{i}" for i in range(len(texts))]
    return Inputs(ids, ["s"] * len(texts), texts, target=None if target is None else inputs_of(target))


def run(texts: list[str], target: list[str], **params: Any) -> np.ndarray:
    given = ZipFitParams(**params)
    return compute(inputs_of(texts), given, fit(inputs_of(texts, target), given, 0))["zip_fit_alignment"]


def twin(x: str, targets: list[str], compress: Any) -> float:
    def size(text: str) -> int:
        return len(compress(text.encode()))

    def ncd(y: str) -> float:
        return (size(x + y) - min(size(x), size(y))) / max(size(x), size(y))

    return float(np.mean([1 - ncd(y) for y in targets]))


@pytest.mark.parametrize(
    ("algorithm", "level", "compress"),
    [
        ("gzip", 9, lambda raw: gzip.compress(raw, 9)),
        ("gzip", 1, lambda raw: gzip.compress(raw, 1)),
        ("lzma", 2, lambda raw: lzma.compress(raw, preset=2)),
        ("zstd", 3, zstandard.ZstdCompressor(level=3).compress),
    ],
)
def test_it_is_the_formula_with_the_compressor_itself(algorithm: str, level: int, compress: Any) -> None:
    texts, target = [CODE, PROSE, "é" * 50, RANDOM], [NEAR, PROSE[:60], "x"]
    expected = [twin(text, target, compress) for text in texts]
    np.testing.assert_allclose(run(texts, target, algorithm=algorithm, level=level), expected, rtol=1e-6)


def test_self_near_copies_and_other_texts_lie_apart() -> None:
    own, near, prose, noise = run([CODE, NEAR, PROSE, RANDOM], [CODE])
    assert own == pytest.approx(0.96, abs=0.01)  # not 1
    assert 0.75 < near < 0.9
    assert prose < 0.45
    assert noise < 0.45


@pytest.mark.parametrize("text", [NEAR, RANDOM, CODE])
def test_level_0_would_compare_lengths_alone_so_it_is_refused(text: str) -> None:
    stored = len(zlib.compress(CODE[:300].encode(), 0, wbits=31))
    found = alignment(text[:300], [CODE[:300].encode()], [stored], "gzip", 0)
    assert found == pytest.approx(23 / (300 + 23))
    with pytest.raises(InputError, match=r"level must lie in 1\.\.9 for gzip, got 0; 0 doesn't compress"):
        run([text], [CODE], level=0)


def test_the_targets_are_averaged_and_drawn_by_their_ids_in_whatever_order() -> None:
    targets = [f"{PROSE} Item {i} of the agenda was {word}." for i, word in enumerate(CODE.split())]
    params = ZipFitParams(n_targets=5)

    def drawn(order: list[int]) -> list[int]:
        aim = inputs_of([targets[i] for i in order], ids=[f"t{i}" for i in order])
        state = fit(Inputs(["d"], ["s"], ["x"], target=aim), params, 3)
        parts = np.split(state["bytes"], state["offsets"][1:-1])
        return [targets.index(bytes(part).decode()) for part in parts]

    rows = list(range(len(targets)))
    assert drawn(rows) == drawn(rows[::-1])
    assert len(set(drawn(rows))) == 5
    alone = [run([CODE], [text])[0] for text in targets[:4]]
    assert run([CODE], targets[:4])[0] == pytest.approx(np.mean(alone), rel=1e-6)


def test_an_empty_text_has_no_alignment_and_an_empty_target_is_left_out() -> None:
    assert np.isnan(run(["", CODE], [PROSE])).tolist() == [True, False]
    assert run([CODE], ["", NEAR, ""])[0] == run([CODE], [NEAR])[0]
    with pytest.raises(InputError, match="every text of the target is empty"):
        run([CODE], ["", ""])


def test_beyond_32_kib_gzip_sees_no_repetition() -> None:
    rng = random.Random(2)
    filler = "".join(rng.choices(string.printable, k=40_000))
    near, far = filler + CODE, CODE + filler
    size = len(gzip.compress(CODE.encode()))
    assert alignment(near, [CODE.encode()], [size]) > alignment(far, [CODE.encode()], [size])


def test_another_version_of_the_compressor_is_told_of() -> None:
    state = dict(fit(inputs_of([CODE], [NEAR]), ZipFitParams(), 0))
    state["compressor"] = np.frombuffer(b"zlib 0.9", dtype=np.uint8)
    with pytest.warns(WorkbenchWarning, match=r"fitted with zlib 0\.9 and is computed with zlib"):
        compute(inputs_of([CODE]), ZipFitParams(), state)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"algorithm": "lz4"}, "algorithm must be gzip, zstd or lzma, got 'lz4'"),
        ({"algorithm": "zstd", "level": 23}, r"level must lie in 1\.\.22 for zstd, got 23"),
        ({"n_targets": 0}, "n_targets must be at least 1"),
    ],
)
def test_a_param_out_of_range_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run([CODE], [NEAR], **params)
