"""The files of quarantined rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.corpus import Quarantined, quarantine_writer, write_quarantine
from workbench.errors import StoreError

ROWS = [
    Quarantined("a.jsonl", 3, "not JSON", "\x1b[31m{}%s\x9b\u202e</script>\n"),
    Quarantined("b", 0, "x", ""),
]


def test_rows_are_written_as_plain_ascii_lines(tmp_path: Path) -> None:
    write_quarantine(tmp_path / "deep" / "q.jsonl", ROWS)
    raw = (tmp_path / "deep" / "q.jsonl").read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in raw)
    lines = [json.loads(line) for line in raw.splitlines()]
    assert lines[0] == {"file": "a.jsonl", "row": 3, "reason": "not JSON", "excerpt": ROWS[0].excerpt}
    assert len(lines) == 2


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    with quarantine_writer(path) as write:
        write(ROWS)
        assert not path.exists()
        write(ROWS[:1])
    assert len(path.read_bytes().splitlines()) == 3
    with pytest.raises(ZeroDivisionError), quarantine_writer(path) as write:
        write(ROWS[1 // n] for n in (1, 0))
    assert [p.name for p in tmp_path.iterdir()] == ["q.jsonl"]
    assert len(path.read_bytes().splitlines()) == 3


def test_a_place_that_cant_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"q\.jsonl can't be written in .*; choose a folder that can be"):
        write_quarantine(tmp_path / "file" / "q.jsonl", ROWS)
