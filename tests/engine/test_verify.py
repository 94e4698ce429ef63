from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.engine.conftest import recipe_of
from tests.engine.corpora import Row, make_documents, write_corpus
from tests.engine.fakes import FakeModels
from workbench.checks import file_digest, json_digest
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.engine.table import Table
from workbench.engine.verify import Verification, verify
from workbench.errors import ManifestError, VerificationError


@pytest.fixture
def out(manifest: Path, corpus: Corpus, tmp_path: Path) -> Path:
    """A complete run with a quarantined row."""
    spoilt = tmp_path / "corpus" / "shard-1.jsonl"
    spoilt.write_bytes(b"{broken\n" + spoilt.read_bytes())
    return apply(manifest, read(tmp_path / "corpus"), tmp_path / "out").out


def change_run(out: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change run.json."""
    run = json.loads((out / "run.json").read_bytes())
    change(run)
    (out / "run.json").write_text(json.dumps(run))


def cover(out: Path) -> None:
    """Make run.json's digests those of the files as they are now."""

    def with_digests(run: dict[str, Any]) -> None:
        run["files"] = {
            str(path.relative_to(out)): file_digest(path)
            for kind in ("kept", "dropped", "quarantine")
            for path in sorted((out / kind).iterdir())
        }
        run["output_digest"] = json_digest(run["files"])

    change_run(out, with_digests)


def edit(path: Path, change: Callable[[list[Row]], object]) -> None:
    """Change the rows of a parquet file."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def only_failure(checked: Verification) -> str:
    assert not checked.holds
    (failure,) = checked.failed
    return failure


def test_an_untouched_run_holds(manifest: Path, out: Path) -> None:
    checked = verify(manifest, out)
    assert checked.holds, checked.failed
    assert len(checked.passed) >= 12
    # the corpus gained a line after the sample was drawn, so it is another one
    assert checked.warnings == [
        "the manifest was made on a sample of another corpus, so its expectations say nothing here"
    ]


@pytest.mark.parametrize("kind", ["kept", "dropped", "quarantine"])
def test_one_changed_byte_in_any_file_is_found(kind: str, manifest: Path, out: Path) -> None:
    path = sorted((out / kind).iterdir())[-1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert path.name in only_failure(verify(manifest, out))


def test_a_missing_file_and_one_too_many_are_found(manifest: Path, out: Path) -> None:
    shutil.copy(out / "kept" / "part-00000.parquet", out / "kept" / "part-00009.parquet")
    (out / "dropped" / "part-00002.parquet").unlink()
    missing, extra = verify(manifest, out).failed
    assert "1 files are missing or changed: ['dropped/part-00002.parquet']" in missing
    assert "files that the run didn't write: ['kept/part-00009.parquet']" in extra


def test_a_row_moved_from_dropped_to_kept_is_found_even_with_digests_to_match(
    manifest: Path, out: Path
) -> None:
    moved: list[Row] = []
    dropped = next(p for p in sorted((out / "dropped").iterdir()) if pq.read_metadata(p).num_rows)
    edit(dropped, lambda rows: moved.append(rows.pop()))
    edit(out / "kept" / dropped.name, lambda rows: rows.append({**rows[0], "doc_id": moved[0]["doc_id"]}))
    assert "missing or changed" in only_failure(verify(manifest, out))
    cover(out)
    failed = verify(manifest, out).failed
    assert any("the files hold" in sentence for sentence in failed)
    assert any("sums by source or by step" in sentence for sentence in failed)

    def recount(run: dict[str, Any]) -> None:
        run["counts"]["kept"] += 1
        run["counts"]["dropped"] -= 1

    change_run(out, recount)
    assert "sums by source or by step" in only_failure(verify(manifest, out))


def test_a_kept_document_outside_of_a_band_is_found(manifest: Path, out: Path) -> None:
    edit(out / "kept" / "part-00000.parquet", lambda rows: rows[0].update(n_tokens=1.0))
    cover(out)
    failed = verify(manifest, out).failed
    assert any(s.startswith("1 kept documents fail step 1 (band), such as ['d0") for s in failed)


def test_a_kept_document_of_another_category_or_id_is_found(manifest: Path, out: Path) -> None:
    edit(out / "kept" / "part-00000.parquet", lambda rows: rows[0].update(language="fr", doc_id="new"))
    cover(out)
    failed = " ".join(verify(manifest, out).failed)
    assert "kept documents fail step 2 (category), such as ['new']" in failed


def test_a_document_that_stands_twice_is_found(manifest: Path, out: Path) -> None:
    kept = pq.read_table(out / "kept" / "part-00000.parquet").to_pylist()
    edit(out / "kept" / "part-00001.parquet", lambda rows: rows[0].update(doc_id=kept[0]["doc_id"]))
    cover(out)
    assert any("1 documents stand twice" in s for s in verify(manifest, out).failed)


def test_a_drop_by_a_step_that_is_not_in_the_recipe_is_found(manifest: Path, out: Path) -> None:
    path = next(p for p in sorted((out / "dropped").iterdir()) if pq.read_metadata(p).num_rows)
    edit(path, lambda rows: rows[0].update(step=40, select="band"))
    cover(out)
    assert any("dropped by unknown steps: [(40, 'band')]" in s for s in verify(manifest, out).failed)


COUNTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "kept": lambda run: run["counts"].update(kept=run["counts"]["kept"] + 1),
    "read": lambda run: run["counts"].update(read=7),
    "quarantined": lambda run: run["counts"].update(quarantined=0),
    "tokens": lambda run: run["kept"].update(n_tokens=run["kept"]["n_tokens"] + 1),
    "source": lambda run: run["by_source"]["poems"].update(n_bytes=3),
    "a source more": lambda run: run["by_source"].update(
        new={"n_read": 5, "n_documents": 5, "n_tokens": 5, "n_bytes": 5}
    ),
    "read of a source": lambda run: run["by_source"]["poems"].update(n_read=1),
    "step": lambda run: run["by_step"][0].update(dropped=run["by_step"][0]["dropped"] + 1),
    "source of a step": lambda run: run["by_step"][0]["by_source"].update(poems=77),
    "a step less": lambda run: run["by_step"].pop(),
    "digest": lambda run: run.update(output_digest="0" * 64),
}


@pytest.mark.parametrize("what", COUNTS)
def test_any_changed_number_in_run_json_is_found(what: str, manifest: Path, out: Path) -> None:
    change_run(out, COUNTS[what])
    assert not verify(manifest, out).holds


def test_the_wrong_manifest_is_found(table: Table, out: Path, tmp_path: Path) -> None:
    other = export(
        table, recipe_of({"select": "random", "fraction": 1.0}, seed=9), tmp_path / "other.manifest"
    )
    assert "the run used manifest" in verify(other, out).failed[0]


def test_a_changed_manifest_is_refused(manifest: Path, out: Path) -> None:
    path = manifest / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"seed": 3', b'"seed": 4', 1))
    with pytest.raises(ManifestError, match="was changed after its export"):
        verify(manifest, out)


def test_a_run_that_is_not_complete_is_a_sentence(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(
        VerificationError, match=r"holds no complete run \(run.json is missing\); run `workbench"
    ):
        verify(manifest, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b"{}", b'{"manifest": 1}', b'{"manifest": "a", "files": 3}', b"\xff"]
)
def test_a_damaged_run_json_is_a_sentence(content: bytes, manifest: Path, out: Path) -> None:
    (out / "run.json").write_bytes(content)
    with pytest.raises(VerificationError, match=r"was damaged .* run `workbench apply` again"):
        verify(manifest, out)


def test_a_kept_file_without_its_columns_is_a_sentence_even_with_digests_to_match(
    manifest: Path, out: Path
) -> None:
    path = out / "kept" / "part-00000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["n_tokens"]), path)
    cover(out)
    with pytest.raises(VerificationError, match=r"or a file that it names was damaged"):
        verify(manifest, out)


def test_a_file_outside_of_the_folder_is_not_looked_at(manifest: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("text")
    digest = file_digest(tmp_path / "secret")
    change_run(out, lambda run: run["files"].update({"../secret": digest}))
    assert any("'../secret'" in sentence for sentence in verify(manifest, out).failed)


# ---- expectations ----------------------------------------------------------------------------------------------

BAND = {"select": "band", "score": "n_tokens", "low": 10}


def made_on(
    corpus: Corpus, tmp_path: Path, *steps: dict[str, Any], n: int | None = None, seed: int = 1
) -> Path:
    """A manifest on a sample of n documents, or on the whole."""
    recipe = recipe_of(*steps)
    sample = corpus.whole() if n is None else corpus.sample(n, seed=seed)
    table = score(sample, used_scores(recipe), store=tmp_path / "made-store", seed=recipe.seed)
    return export(table, recipe, tmp_path / f"made-{n}-{seed}.manifest")


@pytest.fixture
def large(tmp_path: Path, fakes: type[FakeModels]) -> Corpus:
    """400 documents."""
    return read(write_corpus(tmp_path / "large", make_documents(400)))


def test_on_the_whole_the_expectation_is_exact(large: Corpus, tmp_path: Path) -> None:
    manifest = made_on(large, tmp_path, BAND, {"select": "exact"})
    run = apply(manifest, large, tmp_path / "out")
    checked = verify(manifest, run.out)
    assert checked.holds, checked.failed
    kept = run.record["kept"]["n_documents"]
    assert f"kept n_documents {kept} agrees with the expected {kept} ({kept} to {kept})" in checked.passed
    assert "every source keeps exactly what was expected" in checked.passed


def test_on_a_sample_the_interval_decides(large: Corpus, tmp_path: Path) -> None:
    manifest = made_on(large, tmp_path, BAND, n=100)
    run = apply(manifest, large, tmp_path / "out")
    assert verify(manifest, run.out).holds

    def keep_less(content: dict[str, Any]) -> None:
        for amounts in (content["expected"]["all"], *content["expected"]["by_source"].values()):
            for amount in amounts.values():
                amount.update({name: value / 3 for name, value in amount.items()})

    from tests.engine.test_plan import rewritten

    rewritten(manifest, keep_less)
    digest = json.loads((manifest / "manifest.json").read_bytes())["digest"]
    change_run(run.out, lambda record: record.update(manifest=digest))
    failed = verify(manifest, run.out).failed
    assert [sentence.split(" lies outside the expected")[0] for sentence in failed] == [
        f"kept {name} {run.record['kept'][name]:,}" for name in ("n_documents", "n_tokens", "n_bytes")
    ]


def test_a_cut_that_the_corpus_decides_is_noted_and_no_failure(large: Corpus, tmp_path: Path) -> None:
    manifest = made_on(large, tmp_path, {"select": "brevity", "drop_fraction": 0.2}, n=100)
    run = apply(manifest, large, tmp_path / "out")

    def expect_little(content: dict[str, Any]) -> None:
        for amount in content["expected"]["all"].values():
            amount.update({name: value / 3 for name, value in amount.items()})

    from tests.engine.test_plan import rewritten

    rewritten(manifest, expect_little)
    digest = json.loads((manifest / "manifest.json").read_bytes())["digest"]
    change_run(run.out, lambda record: record.update(manifest=digest))
    checked = verify(manifest, run.out)
    assert checked.holds
    assert sum("steps of scope column find their cut" in line for line in checked.warnings) == 3


def test_where_copies_are_sought_less_may_be_kept_than_the_sample_shows(
    tmp_path: Path, fakes: object
) -> None:
    rows = [{"doc_id": f"d{i}", "text": f"text {i % 60} of some words", "source": "web"} for i in range(400)]
    corpus = read(write_corpus(tmp_path / "copies", rows))
    manifest = made_on(corpus, tmp_path, {"select": "exact"}, n=50)
    run = apply(manifest, corpus, tmp_path / "out")
    assert run.record["counts"]["kept"] == 60
    expected = json.loads((manifest / "manifest.json").read_bytes())["expected"]
    assert expected["basis"] == "upper_bound"
    assert expected["all"]["n_documents"]["low"] > 60, "not a test: the interval reaches down to it"
    assert verify(manifest, run.out).holds


def test_a_total_in_the_outer_twentieth_is_a_note_and_no_failure(large: Corpus, tmp_path: Path) -> None:
    notes = 0
    for seed in range(6):
        manifest = made_on(large, tmp_path, BAND, n=24, seed=seed)
        checked = verify(manifest, apply(manifest, large, tmp_path / f"out-{seed}").out)
        assert checked.holds, checked.failed
        notes += sum("lie outside their 95 % intervals" in w for w in checked.warnings)
    assert notes, "six samples of 24 and never a source outside: the note can't be seen"
