"""Rows of numbers for the geometry methods: checked, of unit length or centred, read a piece at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError

if TYPE_CHECKING:
    import torch

_FLOAT32_MAX = float(np.finfo(np.float32).max)

HELD_BYTES = 2**30
"""Rows that take more as float32 are prepared anew each time they are read."""

# Beyond these lengths the squares of a row's numbers may leave float32.
_SHORT, _LONG = 1e-15, 1e18

_PIECE_BYTES = 2**28
_PIECE_ROWS = 4096  # a piece is a multiple of it


def unit_rows(
    x: FloatArray, *, first: int = 0, what: str = "row {} of the embeddings"
) -> npt.NDArray[np.float32]:
    """The rows of x (n, d) scaled to length 1, float32.

    Parameters
    ----------
    x
        (n, d), of any scale.
    first, what
        The number of the first row, and what an error calls a row.

    Raises
    ------
    InputError
        If a row is zero or not finite: it has no direction.
    """
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(x, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
    odd = np.flatnonzero(~((norms[:, 0] > _SHORT) & (norms[:, 0] < _LONG)))
    if len(odd):
        largest = np.abs(x[odd]).max(axis=1, keepdims=True, initial=0).astype(np.float64)
        bad = odd[~np.isfinite(largest[:, 0]) | (largest[:, 0] == 0)]
        if len(bad):
            raise InputError(
                f"{what.format(first + bad[0])} is zero or not finite; score the embedding again"
            )
        rows = rows.copy()
        rows[odd] = x[odd] / largest
        norms[odd] = np.linalg.norm(rows[odd], axis=1, keepdims=True)
    return np.asarray(rows / norms, dtype=np.float32)


class Rows:
    """The rows of an array as float32 tensors, a piece at a time.

    They have length 1 (spherical), or are less their mean and scaled by a power of two, so that no square
    overflows and little cancels out.

    Parameters
    ----------
    x
        (n, d) with n and d at least 1, any float type; also an np.memmap.
    spherical
        Which of the two.
    device
        "cpu" or "cuda"; None: the GPU if there is one.

    Raises
    ------
    InputError
        If a row isn't finite in float32 or, if spherical, is zero.
    """

    def __init__(self, x: FloatArray, *, spherical: bool, device: str | None = None) -> None:
        import torch

        from workbench.models.runtime import device as found

        self.spherical, self.device = spherical, device or found()
        self.piece_rows = max(_PIECE_BYTES // (4 * x.shape[1] * _PIECE_ROWS), 1) * _PIECE_ROWS
        self._x, self._n = x, len(x)
        self._mean, self._scale = np.zeros(x.shape[1]), 1.0
        if not spherical:
            self._mean, self._scale = _mean_and_scale(x, self.piece_rows)
        self._held: torch.Tensor | None = None
        if 4 * x.size <= _room(self.device):
            step = _PIECE_ROWS if self.device == "cpu" else self.piece_rows
            held = torch.empty(x.shape, device=self.device)
            for first in range(0, len(x), step):
                held[first : first + step] = self._read(first, first + step)
            self._held = held

    def __len__(self) -> int:
        return self._n

    def tensor(self, rows: FloatArray) -> torch.Tensor:
        """Prepared rows on the device."""
        import torch

        return torch.from_numpy(rows).to(self.device)

    def prepare(
        self, x: FloatArray, *, what: str = "row {} of the embeddings", first: int = 0
    ) -> npt.NDArray[np.float32]:
        """Further rows on the same footing."""
        if self.spherical:
            return unit_rows(x, first=first, what=what)
        rows = _finite(x, what, first)
        return np.asarray(
            rows * self._scale - (self._mean * self._scale).astype(rows.dtype), dtype=np.float32
        )

    def _read(self, first: int, last: int) -> torch.Tensor:
        x = self._x[first:last]
        if self.spherical and self.device != "cpu" and (found := unit_rows_on(x, self.device)) is not None:
            return found
        return self.tensor(self.prepare(x, first=first))

    def restore(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Prepared rows (or means of them) as rows of x's kind."""
        if self.spherical:
            return rows
        return np.asarray(rows.astype(np.float64) / self._scale + self._mean, dtype=np.float32)

    def restore_square(self, value: float) -> float:
        """A squared distance, or a sum of some, as it is between rows of x's kind."""
        return value / self._scale / self._scale

    def take(self, index: IntArray) -> torch.Tensor:
        """The rows of these numbers, prepared."""
        import torch

        if self._held is not None:
            return self._held[torch.from_numpy(index).to(self.device)]
        return self.tensor(self.prepare(self._x[index]))

    def sample(self, n: int, random: np.random.Generator) -> Rows:
        """Some rows, n of them, drawn without replacement, in their order, held."""
        index = np.sort(random.choice(len(self), n, replace=False))
        out = object.__new__(Rows)
        out.__dict__.update(self.__dict__, _held=self.take(index), _n=n)
        return out

    def pieces(self) -> Iterator[tuple[int, torch.Tensor]]:
        """Each piece: the number of its first row, and its rows, prepared."""
        for first in range(0, len(self), self.piece_rows):
            if self._held is not None:
                yield first, self._held[first : first + self.piece_rows]
            else:
                yield first, self._read(first, first + self.piece_rows)

    def whole(self) -> torch.Tensor:
        """All rows, prepared, and held from now on."""
        import torch

        if self._held is None:
            self._held = torch.cat([piece for _, piece in self.pieces()])
        return self._held


def unit_rows_on(x: FloatArray, device: str) -> torch.Tensor | None:
    """`unit_rows` where there is more speed; None where a row needs the care that `unit_rows` takes."""
    import torch

    # torch warns of memory that it may not write to, as a memory map opened for reading is.
    rows = torch.from_numpy(x if x.flags.writeable else np.array(x)).to(device).float()
    norms = rows.norm(dim=1, keepdim=True)
    plain = (norms > _SHORT) & (norms < _LONG)
    return rows / norms if bool(plain.all()) else None


def _room(device: str) -> int:
    if device == "cpu":
        return HELD_BYTES
    import torch

    return int(torch.cuda.mem_get_info()[0]) // 2


def _finite(x: FloatArray, what: str, first: int) -> FloatArray:
    """The numbers as float32 or, if it has more digits, as float64."""
    rows: FloatArray = np.asarray(x, dtype=np.float32 if x.dtype.itemsize <= 4 else np.float64)
    if not _largest(rows) <= _FLOAT32_MAX:
        bad = np.flatnonzero(~(np.abs(rows).max(axis=1) <= _FLOAT32_MAX))
        raise InputError(
            f"{what.format(first + bad[0])} is not finite in float32; leave it out or compute it again"
        )
    return rows


def _largest(rows: FloatArray) -> float:
    """The largest absolute value, NaN if one is."""
    return float(np.maximum(rows.max(initial=0), -rows.min(initial=0)))


def _mean_and_scale(x: FloatArray, piece_rows: int) -> tuple[npt.NDArray[np.float64], float]:
    """About the mean row, and the power of two that brings the largest number into 0.5..1."""
    mean, largest = np.zeros(x.shape[1]), 0.0
    for first in range(0, len(x), piece_rows):
        piece = _finite(x[first : first + piece_rows], "row {} of the embeddings", first)
        mean += np.full(len(piece), 1 / len(x), dtype=piece.dtype) @ piece
        largest = max(largest, _largest(piece))
    # 2^126 is the largest power of two that float32 holds with its inverse.
    return mean, math.ldexp(1.0, min(-math.frexp(largest)[1], 126))
