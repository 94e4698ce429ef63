from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from tests.engine.conftest import EVERY_KIND, recipe_of, scored
from tests.engine.corpora import Row, make_documents, write_corpus, write_shard
from tests.engine.fakes import FakeModels, die
from tests.engine.outputs import digests, kept_ids, quarantined, rows_of
from tests.engine.tiny_models import write_tiny_lm
from workbench import files
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.export import export, used_scores
from workbench.engine.local import LocalRunner
from workbench.engine.score import score
from workbench.engine.select import KEPT, select
from workbench.engine.table import Table
from workbench.engine.verify import verify
from workbench.errors import Cancelled, InputError, ManifestError, ModelError, StoreError, WorkbenchError
from workbench.models.load import Models
from workbench.progress import Silent
from workbench.recipe.model import Recipe

# Every module that writes aside, and so every moment at which a run can end.
WRITERS = ("files", "engine.parts", "engine.groups", "engine.write")


def frozen(
    tmp_path: Path, documents: list[Row], *steps: dict[str, Any], name: str = "one"
) -> tuple[Path, Corpus]:
    """A manifest of these steps, made on these documents whole, and their corpus of one shard."""
    corpus = read(write_corpus(tmp_path / name, documents))
    recipe = recipe_of(*steps)
    return export(scored(corpus, recipe, tmp_path / "store"), recipe, tmp_path / f"{name}.manifest"), corpus


# ---- what is written ------------------------------------------------------------------------------------------


def test_what_is_dropped_carries_the_step_and_the_sentence_that_select_gives(
    table: Table, recipe: Recipe, manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    outcome = select(recipe, table)
    run = apply(manifest, corpus, tmp_path / "out")
    dropped = {row["doc_id"]: row for row in rows_of(run.out, "dropped")}
    for i, doc_id in enumerate(table.sample.doc_ids):
        if outcome.step[i] == KEPT:
            continue
        row = dropped.pop(doc_id)
        assert row == {
            "doc_id": doc_id,
            "source": table.sample.sources[i],
            "step": outcome.step[i],
            "select": recipe.steps[row["step"]].select,
            "reason": outcome.reason(i),
        }
    assert not dropped
    assert {int(s) for s in outcome.step} == {KEPT, *range(len(EVERY_KIND))}, "a step that drops nothing"


def test_kept_documents_have_all_columns_of_the_corpus_the_scores_used_and_a_weight(
    table: Table, recipe: Recipe, manifest: Path, corpus: Corpus, tmp_path: Path, documents: list[Row]
) -> None:
    run = apply(manifest, corpus, tmp_path / "out")
    place = {i: row for row, i in enumerate(table.sample.doc_ids)}
    given = {row["doc_id"]: row for row in documents}
    kept = rows_of(run.out, "kept")
    used = ("n_tokens", "compression_ratio", "perplexity", "n_bytes")
    assert list(kept[0]) == [
        "doc_id", "text", "source", "year", "n_tokens", "language", "compression_ratio", "perplexity", "n_bytes",
        "weight",
    ]  # fmt: skip
    for row in kept:
        assert {n: row[n] for n in ("doc_id", "text", "source", "year")} == given[row["doc_id"]]
        at = place[row["doc_id"]]
        assert [np.float32(row[n]) for n in used] == [table.scores[n][at] for n in used]
        assert row["language"] in ("en", "de")
        assert row["weight"] == 1.0


def test_counts_add_up_over_sources_and_steps(
    manifest: Path, corpus: Corpus, tmp_path: Path, documents: list[Row]
) -> None:
    record = apply(manifest, corpus, tmp_path / "out").record
    kept, dropped = rows_of(tmp_path / "out", "kept"), rows_of(tmp_path / "out", "dropped")
    assert record["counts"] == {"read": 90, "kept": len(kept), "dropped": len(dropped), "quarantined": 0}
    assert record["kept"]["n_tokens"] == sum(len(row["text"].split()) for row in kept)
    assert record["kept"]["n_bytes"] == sum(len(row["text"].encode()) for row in kept)
    for source, amounts in record["by_source"].items():
        assert amounts["n_documents"] == sum(row["source"] == source for row in kept)
        assert amounts["n_read"] == sum(row["source"] == source for row in documents)
    for i, step in enumerate(record["by_step"]):
        assert (step["step"], step["select"]) == (i, EVERY_KIND[i]["select"])
        assert step["dropped"] == sum(row["step"] == i for row in dropped)


def test_bytes_are_counted_exactly_where_a_float32_could_not(tmp_path: Path, fakes: type[FakeModels]) -> None:
    documents = [{"doc_id": f"d{i}", "text": "x" * (9_000_001 + 2 * i), "source": "long"} for i in range(3)]
    manifest, corpus = frozen(tmp_path, documents, {"select": "random", "fraction": 1.0})
    run = apply(manifest, corpus, tmp_path / "out")
    assert run.record["kept"]["n_bytes"] == 27_000_009
    assert verify(manifest, run.out).holds


def test_a_corpus_column_with_the_name_of_a_score_is_kept_under_another_name(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    documents = [
        {"doc_id": f"d{i}", "text": f"word {i}", "source": "web", "n_tokens": "theirs", "corpus_n_tokens": i}
        for i in range(7)
    ]
    manifest, corpus = frozen(tmp_path, documents, {"select": "band", "score": "n_tokens", "low": 1})
    rows = {row["doc_id"]: row for row in rows_of(apply(manifest, corpus, tmp_path / "out").out, "kept")}
    row = rows["d3"]
    assert (row["n_tokens"], row["corpus_n_tokens"], row["corpus_n_tokens_"]) == (2.0, 3, "theirs")


def test_a_nul_in_a_columns_name_ends_nothing(tmp_path: Path, fakes: type[FakeModels]) -> None:
    odd = {"\0a": 5, "nested": {"b\0": [1]}}
    documents = [{"doc_id": f"d{i}", "text": f"word {i}", "source": "web", **odd} for i in range(3)]
    manifest, corpus = frozen(tmp_path, documents, {"select": "random", "fraction": 1.0})
    row = rows_of(apply(manifest, corpus, tmp_path / "out").out, "kept")[0]
    assert row["\u2400a"] == 5
    assert json.loads(row["nested"]) == odd["nested"]


def test_a_manifest_applies_to_its_own_result_again_and_again(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    first = apply(manifest, corpus, tmp_path / "first")
    again = first
    for name in ("second", "third"):
        again = apply(manifest, read(again.out / "kept"), tmp_path / name)
        assert kept_ids(again.out) == kept_ids(first.out)
    assert "corpus_n_tokens_" in rows_of(again.out, "kept")[0]


def test_a_shard_without_rows_gives_files_with_columns_and_no_rows(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    manifest, _ = frozen(tmp_path, make_documents(20), {"select": "exact"})
    folder = tmp_path / "holes"
    write_shard(folder / "a.parquet", [])
    write_shard(folder / "b.jsonl", [])
    write_shard(folder / "c.jsonl", make_documents(20))
    run = apply(manifest, read(folder), tmp_path / "out")
    names = ["doc_id", "text", "source", "n_tokens", "n_bytes", "weight"]
    assert pq.read_schema(run.out / "kept" / "part-00000.parquet").names == names
    assert pq.read_schema(run.out / "kept" / "part-00001.parquet").names == names
    assert apply(manifest, read(run.out / "kept"), tmp_path / "again").record["kept"] == run.record["kept"]


def test_a_part_of_which_nothing_reaches_the_embedding_is_no_obstacle(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    documents = make_documents(40)
    steps = (
        {"select": "category", "score": "source", "values": ["manuals"]},
        {"select": "semdedup", "epsilon": 0.1, "n_clusters": 2},
        {"select": "category", "score": "source", "values": ["manuals", "none"]},
    )
    manifest, corpus = frozen(tmp_path, documents, *steps)
    folder = tmp_path / "by-source"
    for source in ("letters", "manuals", "poems"):
        write_shard(folder / f"{source}.jsonl", [row for row in documents if row["source"] == source])
    assert kept_ids(apply(manifest, read(folder), tmp_path / "cut").out) == kept_ids(
        apply(manifest, corpus, tmp_path / "whole").out
    )


# ---- rows that can't be used ----------------------------------------------------------------------------------


def test_unreadable_and_unscored_rows_are_quarantined_counted_and_never_lost(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    sound = [row for row in make_documents(40) if row["text"]]
    steps = ({"select": "band", "score": "compression_ratio", "low": 0.1}, {"select": "exact"})
    manifest, _ = frozen(tmp_path, sound, *steps)
    folder = tmp_path / "spoilt"
    write_shard(folder / "a.jsonl", sound[:11])
    write_shard(
        folder / "b.jsonl", [*sound[11:], {"doc_id": "empty", "text": "", "source": "poems", "year": 1}]
    )
    with (folder / "a.jsonl").open("ab") as file:
        file.write(b'not JSON\n{"doc_id": "null", "text": null, "source": "poems"}\n')
    run = apply(manifest, read(folder), tmp_path / "out")
    rows = quarantined(run.out)
    assert [(row["file"], row["row"]) for row in rows] == [
        ("a.jsonl", 11), ("a.jsonl", 12), ("b.jsonl", len(sound) - 11),
    ]  # fmt: skip
    assert "compression_ratio is not defined" in rows[2]["reason"]
    counts = run.record["counts"]
    assert run.n_quarantined == counts["quarantined"] == 3
    assert counts["read"] == len(sound) + 3 == counts["kept"] + counts["dropped"] + 3
    checked = verify(manifest, run.out)
    assert checked.holds, checked.failed


def test_unscored_documents_after_a_group_step_are_quarantined_too(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    sound = [row for row in make_documents(30) if row["text"]]
    steps = ({"select": "exact"}, {"select": "band", "score": "compression_ratio", "low": 0.1})
    manifest, _ = frozen(tmp_path, sound, *steps)
    empty = {"doc_id": "empty", "text": "", "source": "poems", "year": 1}
    run = apply(manifest, read(write_corpus(tmp_path / "two", [*sound, empty], 3)), tmp_path / "out")
    (row,) = quarantined(run.out)
    assert "compression_ratio is not defined" in row["reason"]
    assert run.record["counts"]["quarantined"] == 1
    assert verify(manifest, run.out).holds


# ---- going on after an end at any moment ----------------------------------------------------------------------


class Killed(BaseException):
    """Ends a run like a kill: nothing but `finally` runs."""


@contextmanager
def killed_at(moment: int, when: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let the run end at the moment-th file that it writes aside, before or after that file has its name."""
    real = files.written_aside
    seen: list[str] = []

    @contextmanager
    def written_aside(path: Path) -> Iterator[Path]:
        seen.append(path.name)
        is_the_one = len(seen) == moment
        if is_the_one and when == "before":
            # what stands aside stays, as after a kill
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(path.name + files.PARTIAL).write_bytes(b"half")
            raise Killed
        with real(path) as aside:
            yield aside
        if is_the_one:
            raise Killed

    with monkeypatch.context() as patch:
        for module in WRITERS:
            patch.setattr(f"workbench.{module}.written_aside", written_aside)
        yield seen


@pytest.mark.parametrize("when", ["before", "after"])
def test_ended_at_any_file_and_run_again_the_result_is_the_same(
    when: str, manifest: Path, tmp_path: Path, documents: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_corpus(tmp_path / "two", documents, 2, ("parquet", "jsonl"))
    spoilt = folder / "shard-1.jsonl"
    spoilt.write_bytes(b"{broken\n" + spoilt.read_bytes())
    corpus = read(folder)
    whole = digests(apply(manifest, corpus, tmp_path / "whole").out)
    assert any(name.startswith("quarantine") for name in whole)
    moment, ended = 0, True
    while ended:
        moment += 1
        ended = False
        with killed_at(moment, when, monkeypatch) as seen:
            try:
                apply(manifest, corpus, tmp_path / f"out-{moment}")
            except Killed:
                ended = True
        run = apply(manifest, corpus, tmp_path / f"out-{moment}")
        assert digests(run.out) == whole, f"ended at {seen[-1]}"
        assert not (run.out / "work").exists()
    # the claim; a shard's ids, part, mark, kept, dropped and written; the steps from the first group step on; run.json
    assert moment - 1 == 1 + 2 * 6 + 4 + 1


def test_killed_between_run_json_and_the_end_it_is_finished(
    manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("workbench.engine.apply.shutil.rmtree", killed)
        with pytest.raises(Killed):
            apply(manifest, corpus, tmp_path / "out")
    assert apply(manifest, corpus, tmp_path / "out").record["counts"]["read"] == 90
    assert not (tmp_path / "out" / "work").exists()


def test_a_folder_with_no_more_than_a_killed_run_leaves_can_be_used(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    for name in ("kept", "dropped", "work"):
        (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / "work" / "claim.json.partial").write_bytes(b"{")
    assert apply(manifest, corpus, tmp_path / "out").record["counts"]["read"] == 90


def test_what_was_left_aside_under_another_name_is_removed(
    manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(8, "after", monkeypatch), pytest.raises(Killed):
        apply(manifest, corpus, tmp_path / "out")
    (tmp_path / "out" / "quarantine" / ".part-00000.jsonl.4711.part").write_bytes(b"half")
    run = apply(manifest, corpus, tmp_path / "out")
    assert verify(manifest, run.out).holds


def test_a_stopped_run_goes_on_without_scoring_anything_twice(
    manifest: Path, corpus: Corpus, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    class Stop(Silent):
        def __init__(self) -> None:
            self.stages: list[str] = []

        def start(self, what: str, total: int) -> None:
            self.stages.append(what)

        def advance(self, n: int) -> None:
            if len(self.stages) == 2 and fakes.n_texts("embedder"):
                raise Cancelled("stopped")

    fakes.calls.clear()
    with pytest.raises(Cancelled, match="stopped"):
        apply(manifest, corpus, tmp_path / "out", progress=Stop())
    first = fakes.n_texts("embedder")
    assert 0 < first < 90
    apply(manifest, corpus, tmp_path / "out")
    twice = fakes.n_texts("embedder")
    fakes.calls.clear()
    apply(manifest, corpus, tmp_path / "whole")
    assert twice == fakes.n_texts("embedder")


def test_a_finished_run_is_returned_at_once(
    manifest: Path, corpus: Corpus, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    first = apply(manifest, corpus, tmp_path / "out")
    fakes.calls.clear()
    assert apply(manifest, corpus, tmp_path / "out").record == first.record
    assert not fakes.calls


# ---- the folder ------------------------------------------------------------------------------------------------


def test_a_folder_with_the_result_of_another_corpus_is_refused(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    apply(manifest, corpus, tmp_path / "out")
    other = read(write_corpus(tmp_path / "other", make_documents(12, seed=8)))
    with pytest.raises(
        InputError, match="holds the result of another manifest, corpus or form; give a new folder"
    ):
        apply(manifest, other, tmp_path / "out")


def test_a_folder_with_an_unfinished_run_of_another_manifest_is_refused(
    manifest: Path, corpus: Corpus, tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(5, "after", monkeypatch), pytest.raises(Killed):
        apply(manifest, corpus, tmp_path / "out")
    other = export(table, recipe_of({"select": "exact"}), tmp_path / "other.manifest")
    with pytest.raises(
        InputError, match="unfinished run of another manifest, corpus or form; give a new folder"
    ):
        apply(other, corpus, tmp_path / "out")


def test_a_folder_in_which_another_process_is_at_work_is_refused(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    class Second(Silent):
        def advance(self, n: int) -> None:
            apply(manifest, corpus, tmp_path / "out")

    with pytest.raises(
        InputError, match=r"another process is at work in .*out; wait for its end, or give a new"
    ):
        apply(manifest, corpus, tmp_path / "out", progress=Second())
    assert apply(manifest, corpus, tmp_path / "out").record["counts"]["read"] == 90


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    theirs = tmp_path / "out" / "kept" / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work")
    with pytest.raises(InputError, match="out is not empty; give a new folder"):
        apply(manifest, corpus, tmp_path / "out")
    assert theirs.read_text() == "years of work"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff\x00"])
def test_a_folder_with_a_run_json_that_is_not_ours_is_refused(
    content: bytes, manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_bytes(content)
    with pytest.raises(InputError, match="give a new folder"):
        apply(manifest, corpus, tmp_path / "out")


def test_a_file_where_the_folder_should_be_is_a_sentence(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError, match="out can't be made"):
        apply(manifest, corpus, tmp_path / "out")
    with pytest.raises(StoreError, match="deeper can't be made"):
        apply(manifest, corpus, tmp_path / "out" / "deeper")


def test_a_manifest_replaced_under_the_same_name_is_read_anew(
    manifest: Path, corpus: Corpus, tmp_path: Path, table: Table
) -> None:
    apply(manifest, corpus, tmp_path / "first")
    export(table, recipe_of({"select": "random", "fraction": 0.0}), manifest)
    assert apply(manifest, corpus, tmp_path / "second").record["counts"]["kept"] == 0


# ---- disk ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full_at", [1, 6, 11, 17, 21])
def test_a_full_disk_is_a_sentence_and_loses_nothing_that_was_complete(
    full_at: int, manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = digests(apply(manifest, corpus, tmp_path / "whole").out)
    real, renamed = os.replace, []

    def replace(source: Path, target: Path) -> None:
        if len(renamed) == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)
        renamed.append(Path(target))

    with monkeypatch.context() as patch:
        patch.setattr("workbench.files.os.replace", replace)
        with pytest.raises(StoreError, match="No space left on device; free space or choose another folder"):
            apply(manifest, corpus, tmp_path / "out")
    complete = {path: path.read_bytes() for path in renamed}
    assert len(complete) == full_at
    assert not list((tmp_path / "out").rglob("*.partial"))
    assert digests(apply(manifest, corpus, tmp_path / "out").out) == whole


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer, for what runs in other processes."""
    return write_tiny_lm(
        tmp_path_factory.mktemp("models") / "tiny-lm", (r["text"] for r in make_documents(60))
    )


@pytest.fixture
def real_manifest(tmp_path: Path, corpus: Corpus, tiny_lm: Path) -> Path:
    """A manifest whose tokenizer any process can load."""
    recipe = recipe_of(
        {"select": "band", "score": "n_tokens", "low": 4},
        {"select": "exact"},
        {"select": "substring", "min_tokens": 4, "max_duplicate_fraction": 0.3},
        {"select": "band", "score": "compression_ratio", "high": {"quantile": 0.9}, "unscored": "drop"},
    )
    names = used_scores(recipe)
    table = score(corpus.whole(), names, store=tmp_path / "real-store", models=Models(lm=str(tiny_lm)))
    return export(table, recipe, tmp_path / "real.manifest")


LIMITED = """
import atexit, resource, sys
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), unlimited[1]))
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, unlimited)  # what measures coverage writes at the end
from workbench.cli import main
main()
"""


def test_a_file_that_really_cannot_grow_is_a_sentence(
    real_manifest: Path, corpus: Corpus, tmp_path: Path, tiny_lm: Path, root: Path
) -> None:
    whole = digests(apply(real_manifest, corpus, tmp_path / "whole", lm=str(tiny_lm)).out)
    args = ["apply", str(real_manifest), str(tmp_path / "corpus"), "--out", str(tmp_path / "out")]
    stopped = subprocess.run(
        [sys.executable, "-c", LIMITED, "1500", *args, "--lm", str(tiny_lm)],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert stopped.returncode == 2, stopped.stderr
    assert "can't be written" in stopped.stderr
    assert "finished parts are kept" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert digests(apply(real_manifest, corpus, tmp_path / "out", lm=str(tiny_lm)).out) == whole


# ---- workers ---------------------------------------------------------------------------------------------------


def test_two_workers_write_the_same_bytes_as_one(
    real_manifest: Path, corpus: Corpus, tmp_path: Path, tiny_lm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, pools = LocalRunner._start, []
    monkeypatch.setattr(LocalRunner, "_start", lambda self: pools.append(start(self)) or pools[-1])
    one = apply(real_manifest, corpus, tmp_path / "one", lm=str(tiny_lm))
    two = apply(real_manifest, corpus, tmp_path / "two", lm=str(tiny_lm), runner=LocalRunner(2))
    assert len(pools) == 1, "the same workers for all stages"
    assert multiprocessing.active_children() == [], "they end with the run"
    assert digests(two.out) == digests(one.out)
    unequal = ("seconds",)
    assert {k: v for k, v in two.record.items() if k not in unequal} == {
        k: v for k, v in one.record.items() if k not in unequal
    }


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path, root: Path) -> None:
    program = (
        "from concurrent.futures import ProcessPoolExecutor; import multiprocessing, os, time\n"
        "from workbench.engine.local import _end_with_parent\n"
        "if __name__ == '__main__':\n"
        "    given = (os.getpid(), multiprocessing.Event())\n"
        "    pool = ProcessPoolExecutor(1, None, _end_with_parent, given)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert psutil.pid_exists(worker)
        parent.kill()
    psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], timeout=20)
    assert not psutil.pid_exists(worker)


def test_an_error_in_a_worker_is_the_sentence_it_would_be_here(
    real_manifest: Path, corpus: Corpus, tmp_path: Path, tiny_lm: Path
) -> None:
    shard = tmp_path / "corpus" / "shard-3.jsonl.zst"
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(
        InputError, match=r"shard-3.jsonl.zst is truncated or damaged .* download the file again"
    ):
        apply(
            real_manifest, read(tmp_path / "corpus"), tmp_path / "o", lm=str(tiny_lm), runner=LocalRunner(2)
        )


def test_a_worker_that_dies_is_a_sentence(
    manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.local.run_task", die)
    with pytest.raises(WorkbenchError, match=r"a worker process ended.*run again with fewer --workers"):
        apply(manifest, corpus, tmp_path / "out", runner=LocalRunner(2))


# ---- models ----------------------------------------------------------------------------------------------------


def test_a_tokenizer_that_differs_from_the_manifest_is_refused_before_anything_is_written(
    real_manifest: Path, corpus: Corpus, tmp_path: Path, tiny_lm: Path
) -> None:
    other = write_tiny_lm(tmp_path / "tiny-lm", ["another text altogether"], 300)
    with pytest.raises(ModelError, match=r"tokenizer.json of model 'tiny-lm' has SHA-256 .*expected"):
        apply(real_manifest, corpus, tmp_path / "out", lm=str(other))
    assert not (tmp_path / "out").exists()


def test_a_changed_manifest_is_refused_before_anything_is_written(
    manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    content = json.loads((manifest / "manifest.json").read_bytes())
    content["seed"] += 1
    (manifest / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ManifestError, match="was changed after its export"):
        apply(manifest, corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()
