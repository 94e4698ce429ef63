"""The store: whatever happens while a column is written, it ends complete and right, or is not complete."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from workbench.errors import StoreError
from workbench.store import ColumnKey, Store
from workbench.store.columns import PART_ROWS

KEY = ColumnKey("perplexity", {"version": 1, "params": {"window": 256}})
N_ROWS = 2 * PART_ROWS + 37
VALUES = np.random.default_rng(0).normal(size=N_ROWS).astype(np.float32)


def write(root: Path, values: np.ndarray = VALUES, key: ColumnKey = KEY, stored: str | None = None) -> int:
    """Write a column as the engine does, going on from what is there; returns the parts written."""
    writer = Store(root).writer(key, len(values), stored)
    written = 0
    for part in range(writer.n_parts):
        if not writer.has_part(part):
            writer.write_part(part, values[writer.rows(part)])
            written += 1
    writer.finish(str(values.dtype))
    return written


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def column_folder(root: Path) -> Path:
    return root / KEY.folder


def part_files(root: Path) -> list[Path]:
    return sorted(column_folder(root).glob("part-*.npy"))


@pytest.mark.parametrize("shape", [(N_ROWS,), (N_ROWS, 24), (1,), (PART_ROWS,), (PART_ROWS + 1, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_column_comes_back_as_it_was_written(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    values = (np.random.default_rng(1).normal(size=shape) * 100).astype(dtype)
    write(tmp_path, values)
    got = Store(tmp_path).read(KEY)
    assert got.dtype == dtype
    assert np.array_equal(got, values)


def test_nan_and_infinity_come_back_to_the_bit(tmp_path: Path) -> None:
    values = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 1e-45], dtype=np.float32)
    write(tmp_path, values)
    assert Store(tmp_path).read(KEY).tobytes() == values.tobytes()


def test_nothing_is_complete_before_it_is_finished(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert not store.is_complete(KEY)
    writer = store.writer(KEY, N_ROWS)
    for part in range(writer.n_parts):
        writer.write_part(part, VALUES[writer.rows(part)])
        assert not store.is_complete(KEY)
    with pytest.raises(
        StoreError, match=r"column perplexity is not complete in .*; run `workbench score` again"
    ):
        store.read(KEY)
    writer.finish("float32")
    assert store.is_complete(KEY)


def test_a_finished_column_is_not_written_again(tmp_path: Path) -> None:
    assert write(tmp_path) == 3
    before = contents(tmp_path)
    assert write(tmp_path) == 0
    assert contents(tmp_path) == before


# ---------------------------------------------------------------------------------------------------- killed


def stop_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> list[int]:
    """Raise KeyboardInterrupt at the given file operation, before or after it took place; counts operations."""
    count = [0]

    def watched(operation: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **kwargs: object) -> object:
            count[0] += 1
            if count[0] == moment:
                raise KeyboardInterrupt
            result = operation(*args, **kwargs)
            count[0] += 1
            if count[0] == moment:
                raise KeyboardInterrupt
            return result

        return run

    monkeypatch.setattr(np, "save", watched(np.save))
    monkeypatch.setattr(os, "fsync", watched(os.fsync))
    monkeypatch.setattr(Path, "replace", watched(Path.replace))
    monkeypatch.setattr(Path, "write_bytes", watched(Path.write_bytes))
    return count


def test_stopped_at_any_moment_the_next_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        n_moments = stop_at(patch, -1)
        write(tmp_path / "count")
    assert n_moments[0] >= 4 * 2 * 3
    for moment in range(1, n_moments[0] + 1):
        root = tmp_path / f"stopped-{moment}"
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, moment)
            with pytest.raises(KeyboardInterrupt):
                write(root)
        store = Store(root)
        # Marked complete before it is whole would be wrong for ever.
        if store.is_complete(KEY):
            assert np.array_equal(store.read(KEY), VALUES)
        write(root)
        assert contents(root) == expected


KILLED = """
import os, sys
import numpy as np
from pathlib import Path
from tests_store import write
moment, n = int(sys.argv[2]), 0
def counted(operation):
    def run(*args, **kwargs):
        global n
        n += 1
        if n == moment:
            os._exit(9)
        return operation(*args, **kwargs)
    return run
np.save, os.fsync, Path.replace = counted(np.save), counted(os.fsync), counted(Path.replace)
write(Path(sys.argv[1]))
"""


def test_a_process_killed_in_the_middle_leaves_what_the_next_one_can_go_on_from(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    (tmp_path / "tests_store.py").write_bytes(Path(__file__).read_bytes())
    repository = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), repository])}
    root = tmp_path / "killed"
    kills = 0
    # One store, killed again and again, at another moment each time.
    for moment in (2, 3, 5, 1, 4, 99):
        command = [sys.executable, "-c", KILLED, str(root), str(moment)]
        kills += subprocess.run(command, env=environment).returncode == 9
    assert kills >= 4
    assert np.array_equal(Store(root).read(KEY), VALUES)
    assert contents(root) == contents(tmp_path / "whole")


def test_what_a_killed_writer_left_beside_a_part_is_no_part(tmp_path: Path) -> None:
    folder = column_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / f"part-00001-of-{3:05d}.npy.partial").write_bytes(b"half of a part")
    (folder / "complete.json.partial").write_bytes(b"{")
    assert not Store(tmp_path).is_complete(KEY)
    assert not Store(tmp_path).writer(KEY, N_ROWS).has_part(1)
    assert write(tmp_path) == 3
    assert not list(tmp_path.rglob("*.partial"))
    assert np.array_equal(Store(tmp_path).read(KEY), VALUES)


def test_only_the_missing_part_is_written_again(tmp_path: Path) -> None:
    write(tmp_path)
    (column_folder(tmp_path) / "complete.json").unlink()
    part_files(tmp_path)[1].unlink()
    assert write(tmp_path) == 1
    assert np.array_equal(Store(tmp_path).read(KEY), VALUES)


# ------------------------------------------------------------------------------------------------- full disk


@pytest.mark.parametrize("fails", ["save", "fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_loses_nothing_finished(tmp_path: Path, fails: str) -> None:
    store = Store(tmp_path)
    writer = store.writer(KEY, N_ROWS)
    writer.write_part(0, VALUES[writer.rows(0)])
    before = contents(tmp_path)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr({"save": np, "fsync": os, "replace": Path}[fails], fails, full)
        with pytest.raises(
            StoreError,
            match=r"part-00001-of-00003\.npy can't be written in .*: No space left on device; free space or choose "
            "another folder, then run again: finished parts are kept",
        ):
            writer.write_part(1, VALUES[writer.rows(1)])
    assert contents(tmp_path) == before
    assert write(tmp_path) == 2
    assert np.array_equal(store.read(KEY), VALUES)


def test_a_full_disk_at_the_mark_leaves_the_column_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(
            StoreError, match=r"complete\.json can't be written in .*: No space left on device"
        ):
            write(tmp_path)
    assert not Store(tmp_path).is_complete(KEY)
    assert write(tmp_path) == 0


def test_a_store_that_cannot_be_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StoreError, match=r"can't be written in .*; choose a folder that can be written to"):
        write(tmp_path / "store")


# --------------------------------------------------------------------------------------------------- changed


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_byte_in_any_part_is_found(tmp_path: Path, part: int) -> None:
    write(tmp_path)
    path = part_files(tmp_path)[part]
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        StoreError, match=rf"{path.name} is missing or was changed after it was written; delete the folder"
    ):
        Store(tmp_path).read(KEY)


def test_a_truncated_or_lost_part_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    first, _, last = part_files(tmp_path)
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"part-00000-of-00003\.npy is missing or was changed"):
        Store(tmp_path).read(KEY)
    write(tmp_path / "other")
    part_files(tmp_path / "other")[2].unlink()
    with pytest.raises(StoreError, match=rf"{last.stem}\.npy is missing or was changed"):
        Store(tmp_path / "other").read(KEY)


@pytest.mark.parametrize("mark", [b"", b"{", b"[]", b"{}", b'{"parts": 3}', b'{"parts": [{}]}', b"\xff"])
def test_a_changed_mark_is_found(tmp_path: Path, mark: bytes) -> None:
    write(tmp_path)
    (column_folder(tmp_path) / "complete.json").write_bytes(mark)
    with pytest.raises(
        StoreError, match=r"complete\.json is missing or was changed after it was written; delete the folder"
    ):
        Store(tmp_path).read(KEY)


def test_a_mark_that_lost_its_parts_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    mark = column_folder(tmp_path) / "complete.json"
    mark.write_bytes(orjson.dumps({**orjson.loads(mark.read_bytes()), "parts": []}))
    with pytest.raises(StoreError, match=r"complete\.json is missing or was changed"):
        Store(tmp_path).read(KEY)


def test_a_part_is_never_unpickled(tmp_path: Path) -> None:
    key = ColumnKey("evil", {})
    writer = Store(tmp_path).writer(key, 1)
    with pytest.raises(ValueError, match=r"allow_pickle=False"):
        writer.write_part(0, np.array([{}], dtype=object))


# ------------------------------------------------------------------------------------------------ bad values


def test_a_part_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    writer = Store(tmp_path).writer(KEY, N_ROWS)
    with pytest.raises(StoreError, match=r"perplexity: part 2 has 512 values for 37 rows$"):
        writer.write_part(2, VALUES[:PART_ROWS])
    assert not contents(tmp_path)


def test_a_column_with_a_missing_part_is_not_marked_complete(tmp_path: Path) -> None:
    writer = Store(tmp_path).writer(KEY, N_ROWS)
    writer.write_part(0, VALUES[writer.rows(0)])
    with pytest.raises(
        StoreError, match=r"can't be marked complete: part-00001-of-00003\.npy is missing; score it again"
    ):
        writer.finish("float32")
    assert not Store(tmp_path).is_complete(KEY)


def test_parts_cover_every_row_once(tmp_path: Path) -> None:
    for n in (0, 1, PART_ROWS, PART_ROWS + 1, N_ROWS):
        writer = Store(tmp_path).writer(KEY, n)
        rows = [i for part in range(writer.n_parts) for i in range(n)[writer.rows(part)]]
        assert rows == list(range(n))


# ---------------------------------------------------------------------------------------------------- states


def test_a_fitted_artefact_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read_state(KEY) is None
    state = {"centroids": VALUES[:40].reshape(5, 8)[:, ::2], "counts": np.arange(3)}
    store.write_state(KEY, state)
    got = store.read_state(KEY)
    assert got is not None
    assert set(got) == {"centroids", "counts"}
    for name, array in state.items():
        assert np.array_equal(got[name], array)
        assert got[name].dtype == array.dtype


@pytest.mark.parametrize("raw", [b"", b"\x80\x04pickle", b"x" * 100])
def test_an_artefact_that_is_not_safetensors_is_refused(tmp_path: Path, raw: bytes) -> None:
    store = Store(tmp_path)
    store.write_state(KEY, {"a": VALUES})
    path = next(tmp_path.rglob("*.safetensors"))
    path.write_bytes(raw)
    with pytest.raises(StoreError, match=r"is not a readable safetensors file .*; delete it and run again"):
        store.read_state(KEY)


# ---- by rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(N_ROWS,), (N_ROWS, 20), (1, 3), (0,)])
@pytest.mark.parametrize("stored", ["float32", "float16"])
def test_rows_are_those_of_the_whole_column(tmp_path: Path, shape: tuple[int, ...], stored: str) -> None:
    values = np.random.default_rng(2).normal(size=shape).astype(stored).astype(np.float32)
    write(tmp_path, values, stored=stored)
    store = Store(tmp_path)
    assert np.array_equal(store.read(KEY), values)
    assert store.read(KEY).dtype == np.float32
    column = store.open(KEY)
    assert (len(column), column.shape, column.dtype) == (len(values), shape, np.float32)
    if len(values):
        assert np.load(part_files(tmp_path)[0]).dtype == stored
    rng = np.random.default_rng(3)
    for rows in (
        slice(None),
        slice(500, 700),
        slice(0, 0),
        rng.integers(-len(values), len(values) or 1, 90 * bool(len(values))),
    ):
        got = column.rows(rows)
        assert got.dtype == np.float32
        assert np.array_equal(got, values[rows])


def test_what_is_not_asked_for_stays_on_disk(tmp_path: Path) -> None:
    write(tmp_path, np.ones((N_ROWS, 8), dtype=np.float32))
    column = Store(tmp_path).open(KEY)
    mapped = column.part(0)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    part_files(tmp_path)[2].unlink()
    assert column.rows(slice(0, 2 * PART_ROWS)).shape == (2 * PART_ROWS, 8)


def test_a_row_beyond_the_column_is_an_index_error(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(IndexError):
        Store(tmp_path).open(KEY).rows(np.array([N_ROWS]))


def test_a_column_is_held_against_its_digests_before_it_is_opened(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(StoreError, match="is not complete"):
        store.open(KEY)
    write(tmp_path)
    raw = bytearray(part_files(tmp_path)[1].read_bytes())
    raw[-1] ^= 1
    part_files(tmp_path)[1].write_bytes(raw)
    with pytest.raises(StoreError, match="is missing or was changed after it was written"):
        store.open(KEY)


def test_a_mark_with_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    mark = column_folder(tmp_path) / "complete.json"
    mark.write_bytes(orjson.dumps({**orjson.loads(mark.read_bytes()), "n_rows": N_ROWS - 1}))
    with pytest.raises(StoreError, match="is missing or was changed after it was written"):
        Store(tmp_path).open(KEY)


def test_a_narrower_type_takes_only_what_it_can_hold(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="part 0 isn't exact as float16; mend the score"):
        write(tmp_path, np.full(3, 0.1, dtype=np.float32), stored="float16")
    write(tmp_path, np.array([0.5, np.nan, np.inf], dtype=np.float32), stored="float16")
    assert np.array_equal(Store(tmp_path).read(KEY), [0.5, np.nan, np.inf], equal_nan=True)


def ragged(rows: list[list[int]]) -> np.ndarray:
    column = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        column[i] = np.array(row, dtype=np.uint64)
    return column


@pytest.mark.parametrize("n", [0, 1, PART_ROWS, PART_ROWS + 3])
def test_rows_of_any_length_come_back_as_they_were(tmp_path: Path, n: int) -> None:
    rows = [[2**63 + i] * (i % 4) for i in range(n)]
    key, store = ColumnKey("hashes", {}), Store(tmp_path)
    writer = store.writer(key, n, "uint64", ragged=True)
    for part in range(writer.n_parts):
        writer.write_part(part, ragged(rows[writer.rows(part)]))
    writer.finish("uint64")
    found = store.read(key)
    assert found.shape == (n,)
    assert [row.tolist() for row in found] == rows
    assert {row.dtype for row in found} <= {np.dtype(np.uint64)}
    with pytest.raises(StoreError, match="rows of any length"):
        store.open(key)
