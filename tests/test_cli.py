from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.engine.commands import Commands, Result
from tests.engine.corpora import FORMATS, make_documents, write_corpus, write_shard
from tests.engine.fakes import FakeModels, install
from tests.engine.outputs import digests, kept_ids
from tests.engine.tiny_models import write_random_lm, write_tiny_lm
from workbench.scores import SCORES
from workbench.selectors import SELECTORS

COMMANDS = (
    "demo", "methods", "schema", "train-lm", "train-ngram", "sample", "score", "cost", "select", "export", "apply",
    "verify", "compile", "pack",
)  # fmt: skip
STEPS = [
    {"select": "band", "score": "n_tokens", "low": 4, "high": {"quantile": 0.95}},
    {"select": "exact"},
    {"select": "semdedup", "epsilon": 0.1, "n_clusters": 3},
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    """The command line with models that need no weights, in a folder with a corpus and a recipe."""
    install(monkeypatch)
    write_corpus(Path("corpus"), make_documents(80), 3, FORMATS)
    write_recipe(*STEPS)
    return Commands(monkeypatch, capfd)


def write_recipe(*steps: dict[str, Any], name: str = "recipe.json") -> None:
    Path(name).write_text(json.dumps({"format": "selection-recipe/1", "seed": 1, "steps": steps}))


def ready(run: Commands, *extra: str) -> None:
    """Draw, and export a manifest."""
    assert run("sample", "corpus", "--n", 40, "--out", "s.parquet", *extra).code == 0
    frozen = run("export", "s.parquet", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest")
    assert frozen.code == 0, frozen.err


# ---- help ------------------------------------------------------------------------------------------------------


def test_help_lists_every_command(run: Commands) -> None:
    result = run("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert f"  {command} " in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_an_example_of_it(command: str, run: Commands) -> None:
    result = run(command, "--help")
    assert result.code == 0
    (line,) = [line for line in result.out.splitlines() if "Example:" in line]
    assert line.split("Example:")[1].strip().startswith(f"workbench {command}")


def test_no_command_is_a_mistake_that_shows_the_help(run: Commands) -> None:
    result = run()
    assert result.code == 2
    assert "Usage" in result.out + result.err


@pytest.mark.parametrize(
    "args",
    [
        ("demos",),
        ("sample", "corpus"),
        ("sample", "corpus", "--n", "many", "--out", "s.parquet"),
        ("sample", "corpus", "--n", "0", "--out", "s.parquet"),
        ("apply", "m.manifest", "--out", "out"),
        ("apply", "m.manifest", "corpus", "--out", "out", "--engine", "spark"),
        ("schema", "poem"),
        ("verify", "m.manifest", "out", "--fast"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_and_says_what_is_wrong(
    args: tuple[str, ...], run: Commands
) -> None:
    result = run(*args)
    assert result.code == 2
    assert result.out == ""
    assert result.err


# ---- each command ----------------------------------------------------------------------------------------------


def test_sample_draws_writes_and_counts(run: Commands) -> None:
    result = run("sample", "corpus", "--n", 40, "--by", "source", "--seed", 3, "--out", "s.parquet", "--json")
    assert result.code == 0
    assert result.json["n_documents"] == 40 == pl.read_parquet("s.parquet").height
    by_source = result.json["by_source"]
    assert set(by_source) == {"poems", "letters", "manuals"}
    assert sum(stratum["n_corpus"] for stratum in by_source.values()) == 80
    assert result.json["quarantine"] is None
    table = run("sample", "corpus", "--n", 40, "--out", "s2.parquet")
    assert "40 documents written to s2.parquet" in table.out
    assert "manuals" in table.out
    pooled = run("sample", "corpus", "--n", 20, "--by", "none", "--out", "s3.parquet", "--json").json
    assert len({stratum["rate"] for stratum in pooled["by_source"].values()}) == 1


def test_score_stores_and_describes(run: Commands) -> None:
    run("sample", "corpus", "--n", 40, "--out", "s.parquet")
    args = ("score", "s.parquet", "--scores", "n_tokens, embedding,compression_ratio", "--store", "store")
    summary = run(*args, "--json").json
    assert summary["n_documents"] == 40
    assert summary["scores"]["embedding"] == {"n_documents": 40, "n_unscored": 0, "dimension": 12}
    tokens = summary["scores"]["n_tokens"]
    assert 0 <= tokens["p05"] <= tokens["p50"] <= tokens["p95"]
    ratio = summary["scores"]["compression_ratio"]
    assert ratio["n_documents"] + ratio["n_unscored"] == 40
    n_calls = len(FakeModels.calls)
    assert "stored in store" in run(*args).out
    assert len(FakeModels.calls) == n_calls, "a second run takes all from the store"


def test_one_call_scores_with_several_models_and_tokenises_once(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from workbench.models.tokens import FileTokenizer

    made = []
    tokenise = FileTokenizer._tokenise
    monkeypatch.setattr(FileTokenizer, "_tokenise", lambda *given: made.append(1) or tokenise(*given))
    monkeypatch.chdir(tmp_path)
    texts = [row["text"] for row in make_documents(60)]
    first, second = (write_random_lm(tmp_path / name, texts) for name in ("one", "two"))
    write_corpus(Path("corpus"), make_documents(40), 1)
    args = (
        "score",
        "corpus",
        "--scores",
        "perplexity",
        "--store",
        "store",
        "--lm",
        first,
        "--also-lm",
        second,
    )
    run = Commands(monkeypatch, capfd)
    told = run(*args, "--json")
    assert told.code == 0, told.err
    assert len(made) == 1
    ((name, also),) = told.json["also"].items()
    assert name == str(second)
    assert also["perplexity"]["p50"] != told.json["scores"]["perplexity"]["p50"]
    assert f"with {second}:" in run(*args).out


def test_select_counts_in_all_per_source_and_per_step(run: Commands) -> None:
    args = ("select", "corpus", "--recipe", "recipe.json", "--store", "store")
    summary = run(*args, "--json").json
    kept = summary["all"]["kept"]["n_documents"]
    assert summary["all"]["total"]["n_documents"] == 80
    assert 80 - kept == sum(step["n_documents"] for step in summary["by_step"])
    assert [step["select"] for step in summary["by_step"]] == ["band", "exact", "semdedup"]
    assert kept == sum(rows["kept"]["n_documents"] for rows in summary["by_source"].values())
    assert summary["corpus"] == {
        "basis": "exact",
        "kept": {n: {"value": v, "low": v, "high": v} for n, v in summary["all"]["kept"].items()},
    }
    table = run(*args).out
    assert "1 band" in table
    assert f"of the corpus: {kept} documents\n" in table


def test_export_apply_and_verify_go_together(run: Commands) -> None:
    ready(run)
    again = run(
        "export", "s.parquet", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest", "--json"
    ).json
    assert again["manifest"] == "m.manifest"
    assert set(again["expected"]) == {"basis", "all", "by_source", "by_step"}
    applied = run("apply", "m.manifest", "corpus", "--out", "out", "--json")
    assert applied.code == 0
    assert applied.json["manifest"] == again["digest"]
    assert applied.json["counts"]["kept"] == len(kept_ids(Path("out")))
    table = run("apply", "m.manifest", "corpus", "--out", "out")
    assert f"{applied.json['counts']['kept']} kept, 0 quarantined, 80 read; written to out" in table.out
    verified = run("verify", "m.manifest", "out", "--json")
    assert verified.code == 0
    assert verified.json["holds"] is True
    assert verified.json["failed"] == []
    assert verified.json["passed"]
    assert "ok " in run("verify", "m.manifest", "out").out


def test_the_manifest_of_another_recipe_is_replaced_only_when_told_to(run: Commands) -> None:
    ready(run)
    held, before = Path("m.manifest/manifest.json"), Path("m.manifest/manifest.json").read_bytes()
    write_recipe({"select": "random", "fraction": 0.5}, name="other.json")
    other = ("export", "s.parquet", "--recipe", "other.json", "--store", "store", "--out", "m.manifest")
    refused = run(*other)
    assert refused.code == 2
    assert "m.manifest holds the manifest of another recipe (band, exact, semdedup; about" in " ".join(
        refused.err.split()
    )
    assert held.read_bytes() == before
    assert run(*other, "--replace").code == 0
    assert json.loads(held.read_bytes())["steps"][0]["select"] == "random"


def test_applied_to_the_sample_itself_the_counts_are_those_of_select(run: Commands) -> None:
    shown = run("select", "corpus", "--recipe", "recipe.json", "--store", "store", "--json").json
    run("export", "corpus", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest")
    applied = run("apply", "m.manifest", "corpus", "--out", "out", "--json").json
    assert applied["kept"] == shown["all"]["kept"]
    for source, rows in shown["by_source"].items():
        assert applied["by_source"][source]["n_documents"] == rows["kept"]["n_documents"]
    assert [step["dropped"] for step in applied["by_step"]] == [s["n_documents"] for s in shown["by_step"]]


def test_apply_takes_several_paths_in_any_order(run: Commands) -> None:
    ready(run)
    shards = sorted(Path("corpus").iterdir())
    run("apply", "m.manifest", *shards, "--out", "one")
    run("apply", "m.manifest", *reversed(shards), "--out", "two")
    run("apply", "m.manifest", "corpus", "--out", "three")
    assert digests(Path("one")) == digests(Path("two")) == digests(Path("three"))


def test_the_names_of_columns_can_be_given_everywhere(run: Commands) -> None:
    named = {"doc_id": "uid", "text": "body", "source": "site", "year": "year"}
    rows = [{named[key]: value for key, value in row.items()} for row in make_documents(30)]
    write_shard(Path("theirs/a.jsonl"), rows)
    columns = ("--text-column", "body", "--id-column", "uid", "--source-column", "site")
    assert run("sample", "theirs", "--n", 20, "--out", "s.parquet", *columns).code == 0
    assert run("score", "theirs", "--scores", "n_chars", "--store", "store", *columns).code == 0
    assert run("select", "theirs", "--recipe", "recipe.json", "--store", "store", *columns).code == 0
    frozen = ("--recipe", "recipe.json", "--store", "store", "--out", "m.manifest", *columns)
    assert run("export", "theirs", *frozen).code == 0
    applied = run("apply", "m.manifest", "theirs", "--out", "out", *columns, "--json").json
    assert set(applied["by_source"]) == {"poems", "letters", "manuals"}
    assert kept_ids(Path("out")) <= {row["uid"] for row in rows}


def test_methods_lists_every_score_and_selector_in_the_agreed_form(run: Commands) -> None:
    listed = run("methods", "--json").json
    assert [m["name"] for m in listed] == [*SCORES, *SELECTORS]
    for method in listed:
        assert {"name", "kind", "title", "paper", "needs", "scope", "cost", "status"} <= set(method)
        assert method["cost"]
        assert method["kind"] in ("score", "selector", "mixture", "law")
        assert method["status"] in ("published", "variant", "experimental")
        assert method["title"]
    table = run("methods").out
    assert "semdedup" in table
    assert "perplexity" in table
    assert "LM pass" in table


def test_methods_says_all_that_is_known_of_one(run: Commands) -> None:
    told = run("methods", "prototypes").out
    for text in (
        SELECTORS["prototypes"].about,
        "Sorscher et al. 2022",
        "scope: column",
        "floor: class balance",
    ):
        assert text in told
    assert run("methods", "prototypes", "--json").json["name"] == "prototypes"
    assert "unit: tokens" in run("methods", "n_tokens").out
    assert "there is no method 'nope'; `workbench methods` lists them all" in run.fails("methods", "nope")


@pytest.mark.parametrize("kind", ["recipe", "manifest"])
def test_schema_prints_the_published_schema(kind: str, run: Commands, root: Path) -> None:
    published = json.loads((root / "tests" / "golden" / f"{kind}.schema.json").read_bytes())
    assert run("schema", kind).json == published == run("schema", kind, "--json").json


# ---- output ----------------------------------------------------------------------------------------------------


def test_json_alone_stands_on_standard_output(run: Commands) -> None:
    """One JSON value each, whatever else is told on standard error."""
    commands = [
        ("sample", "corpus", "--n", 30, "--out", "s.parquet"),
        ("score", "s.parquet", "--scores", "n_tokens", "--store", "store"),
        ("select", "s.parquet", "--recipe", "recipe.json", "--store", "store"),
        ("export", "s.parquet", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest"),
        ("apply", "m.manifest", "corpus", "--out", "out"),
        ("verify", "m.manifest", "out"),
        ("methods",),
        ("schema", "recipe"),
    ]
    for command in commands:
        result = run(*command, "--json")
        assert result.code == 0, result.err
        assert isinstance(result.json, dict | list)
        assert result.out.isascii()


def test_a_source_with_control_characters_and_markup_is_shown_as_text(run: Commands) -> None:
    rows = [{"doc_id": f"d{i}", "text": "a b c d e", "source": "\x1b[31m[red]<b>\u202e"} for i in range(4)]
    write_shard(Path("odd.jsonl"), rows)
    shown = run("sample", "odd.jsonl", "--n", 4, "--out", "s.parquet")
    assert "\x1b" not in shown.out
    assert "[31m[red]<b>" in shown.out
    told = run("sample", "odd.jsonl", "--n", 4, "--out", "s.parquet", "--json")
    assert "\x1b" not in told.out
    assert list(told.json["by_source"]) == ["\x1b[31m[red]<b>\u202e"]
    sentence = run.fails("sample", "odd.jsonl", "--n", 4, "--out", "s.parquet", "--text-column", "\x1b[2J")
    assert "\x1b" not in sentence


# ---- exit codes ------------------------------------------------------------------------------------------------


def test_rows_that_are_put_aside_are_exit_code_3_in_every_command(run: Commands) -> None:
    with Path("corpus/shard-1.jsonl").open("a") as file:
        file.write("not JSON\n")
    commands: list[tuple[str | int, ...]] = [
        ("sample", "corpus", "--n", 40, "--out", "s.parquet"),
        ("score", "corpus", "--scores", "n_chars", "--store", "store"),
        ("select", "corpus", "--recipe", "recipe.json", "--store", "store"),
        ("export", "corpus", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest"),
        ("apply", "m.manifest", "corpus", "--out", "out"),
    ]
    for command in commands:
        for form in ((), ("--json",)):
            result = run(*command, *form)
            assert result.code == 3, (command, result.err)
            assert "1 rows could not be used; see " in result.err
            place = Path(result.err.strip().rsplit("see ", 1)[1])
            files = [place] if place.is_file() else sorted(place.iterdir())
            (line,) = files[0].read_text().splitlines()
            assert json.loads(line)["reason"].startswith("not JSON")
            if form:
                assert isinstance(result.json, dict)


def test_what_does_not_hold_is_exit_code_4(run: Commands) -> None:
    ready(run)
    run("apply", "m.manifest", "corpus", "--out", "out")
    path = Path("out/kept/part-00000.parquet")
    path.write_bytes(path.read_bytes() + b"x")
    result = run("verify", "m.manifest", "out", "--json")
    assert result.code == 4
    assert result.json["holds"] is False
    assert "part-00000.parquet" in result.json["failed"][0]
    assert "FAILED " in run("verify", "m.manifest", "out").out
    nothing = run("verify", "m.manifest", "corpus")
    assert nothing.code == 4
    assert nothing.err.startswith("workbench: corpus holds no complete run")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("sample", "nowhere", "--n", 4, "--out", "s.parquet"), "nowhere isn't there; give a file, a folder"),
        (("sample", "corpus", "--n", 4, "--by", "year", "--out", "s.parquet"), "by must be 'source' or None"),
        (("score", "corpus", "--scores", " , ", "--store", "s"), "--scores needs at least one name"),
        (("score", "corpus", "--scores", "beauty", "--store", "s"), "there is no score 'beauty'"),
        (("select", "corpus", "--recipe", "no.json", "--store", "s"), "the recipe no.json can't be read"),
        (("select", "corpus", "--recipe", "corpus", "--store", "s"), "the recipe corpus can't be read"),
        (("apply", "no.manifest", "corpus", "--out", "out"), "no.manifest holds no manifest.json"),
        (("verify", "corpus", "out"), "corpus holds no manifest.json; give a folder written by"),
    ],
)
def test_what_is_not_there_is_a_sentence(args: tuple[Any, ...], sentence: str, run: Commands) -> None:
    told = run.fails(*args)
    assert sentence in told
    result = run(*args, "--json")
    assert result.code == 2
    assert result.json == {"error": told, "exit_code": 2}
    assert sentence in result.err


def test_a_corpus_without_one_usable_row_is_refused_and_its_rows_are_kept(run: Commands) -> None:
    Path("bad.jsonl").write_text("not JSON\n{}\n")
    Path("empty.jsonl").write_text("")
    for command in (
        ("score", "bad.jsonl", "--scores", "n_chars", "--store", "store"),
        ("select", "bad.jsonl", "--recipe", "recipe.json", "--store", "store"),
        ("export", "bad.jsonl", "--recipe", "recipe.json", "--store", "store", "--out", "m.manifest"),
    ):
        told = run.fails(*command)
        assert (
            "bad.jsonl holds no document that can be used, its 2 rows are in store/quarantine.jsonl" in told
        )
        assert len(Path("store/quarantine.jsonl").read_text().splitlines()) == 2
    assert not Path("m.manifest").exists()


def test_a_fault_of_a_step_begins_with_its_number(run: Commands) -> None:
    write_recipe({"select": "exact"}, {"select": "band", "score": "n_chars", "low": 3, "high": 1})
    told = run.fails("select", "corpus", "--recipe", "recipe.json", "--store", "store")
    assert told.startswith("step 2: band: low must be")


def test_a_long_name_is_whole_in_a_pipe(run: Commands) -> None:
    rows = [
        {"doc_id": f"d{i}", "text": "a b c d e", "source": "a long name of a source " * 8} for i in range(4)
    ]
    write_shard(Path("long.jsonl"), rows)
    shown = run("select", "long.jsonl", "--recipe", "recipe.json", "--store", "store")
    assert ("a long name of a source " * 8).strip() in shown.out


# ---- in a process of its own -----------------------------------------------------------------------------------

PROGRAM = (sys.executable, "-c", "from workbench.cli import main; main()")


def start(
    *args: str | int | Path, root: Path, session: bool = False, **environment: str
) -> subprocess.Popen[str]:
    command = [*PROGRAM, *map(str, args)]
    return subprocess.Popen(
        command, cwd=root, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=session,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> Result:
    out, err = process.communicate(timeout=120)
    return Result(process.returncode, out, err)


def test_as_a_program_it_runs_with_a_model_of_ones_own_in_any_locale(tmp_path: Path, root: Path) -> None:
    lm = write_tiny_lm(tmp_path / "tiny-lm", (row["text"] for row in make_documents(60)))
    rows = [{**row, "source": f"дом-{row['source']}"} for row in make_documents(40)]
    write_corpus(tmp_path / "corpus", rows, 2)
    (tmp_path / "recipe.json").write_text(
        json.dumps(
            {"format": "selection-recipe/1", "steps": [{"select": "band", "score": "n_tokens", "low": 3}]}
        )
    )
    given = ("--recipe", tmp_path / "recipe.json", "--store", tmp_path / "store", "--lm", lm)
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    shown = ended(start("select", tmp_path / "corpus", *given, root=root, **ascii_only))
    assert (shown.code, shown.err) == (0, "")
    told = ended(start("select", tmp_path / "corpus", *given, "--json", root=root, **ascii_only))
    assert set(told.json["by_source"]) == {"дом-poems", "дом-letters", "дом-manuals"}
    assert told.err == ""
    wrong = ended(start("select", tmp_path / "дом", *given, root=root, **ascii_only))
    assert wrong.code == 2
    assert "isn't there" in wrong.err
    assert "Traceback" not in wrong.err


def test_an_interrupt_is_one_sentence_and_exit_code_130_and_the_next_run_goes_on(
    tmp_path: Path, root: Path
) -> None:
    lm = write_tiny_lm(tmp_path / "tiny-lm", ["some words"], 300)
    write_corpus(tmp_path / "corpus", make_documents(6000), 6)
    names = ",".join(name for name, spec in SCORES.items() if spec.needs == ("text",))
    args = ("score", tmp_path / "corpus", "--scores", names, "--store", tmp_path / "store", "--lm", lm)
    process = start(*args, root=root)
    deadline = time.monotonic() + 100
    while not list((tmp_path / "store").glob("*/part-*.npy")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    assert stopped.code == 130
    assert stopped.err == "workbench: stopped; finished parts are kept, run the same command to go on\n"
    assert list((tmp_path / "store").glob("*/part-*.npy"))


def test_an_interrupt_of_several_workers_is_one_sentence_too_and_soon(tmp_path: Path, root: Path) -> None:
    lm = write_tiny_lm(tmp_path / "tiny-lm", ["some words"], 300)
    write_corpus(tmp_path / "corpus", make_documents(9000), 3)
    step = {"select": "band", "score": "gopher_top_2_gram_ratio", "unscored": "keep"}
    (tmp_path / "recipe.json").write_text(json.dumps({"format": "selection-recipe/1", "steps": [step]}))
    manifest, out = tmp_path / "m.manifest", tmp_path / "out"
    given = ("--recipe", tmp_path / "recipe.json", "--store", tmp_path / "store", "--lm", lm)
    write_shard(tmp_path / "few.jsonl", make_documents(40))
    assert ended(start("export", tmp_path / "few.jsonl", *given, "--out", manifest, root=root)).code == 0
    process = start(
        "apply", manifest, tmp_path / "corpus", "--out", out, "--workers", 2, "--lm", lm, root=root, session=True
    )  # fmt: skip
    deadline = time.monotonic() + 100
    while not list(out.glob("work/scored/*.parquet")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    stopped = ended(process)
    assert stopped.code == 130
    assert stopped.err == "workbench: stopped; finished parts are kept, run the same command to go on\n"
    assert list(out.glob("work/scored/*.parquet"))
    assert not (out / "run.json").exists()


def test_a_reader_that_goes_away_is_no_traceback(root: Path) -> None:
    process = start("schema", "manifest", root=root)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.wait()


def test_with_json_a_command_line_that_cannot_be_read_is_one_value_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Commands(monkeypatch, capfd)
    told = run("score", "corpus", "--lm-context", "foo", "--json")
    assert told.code == 2
    assert told.json == {"error": "the command line can't be read; standard error says why", "exit_code": 2}
    assert "foo" in told.err
    assert run("score", "corpus", "--lm-context", "foo").out == ""


def test_with_json_an_interrupt_is_one_value_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.summary.methods", interrupted)
    told = Commands(monkeypatch, capfd)("methods", "--json")
    assert (told.code, told.json["exit_code"]) == (130, 130)
    assert told.json["error"].startswith("stopped;")


def test_a_target_is_given_to_scoring_selecting_and_exporting_and_applying_needs_none(run: Commands) -> None:
    write_recipe({"select": "dsir", "keep_fraction": 0.5})
    recipe = json.loads(Path("recipe.json").read_text())
    Path("recipe.json").write_text(json.dumps({**recipe, "scores": {"dsir_log_weight": {"min_tokens": 1}}}))
    Path("aim.jsonl").write_text('{"said": "river stone lantern"}\n{"said": 3}\n')
    run("sample", "corpus", "--n", 40, "--out", "s.parquet")
    without = run("select", "s.parquet", "--recipe", "recipe.json", "--store", "store")
    assert without.code == 2
    assert "dsir_log_weight compares documents with target texts and none were given" in without.err
    # the sample's file needs no name of a column, so the option speaks of the target's
    given = ("--store", "store", "--target", "aim.jsonl", "--text-column", "said")
    scored = run("score", "s.parquet", "--scores", "dsir_log_weight", *given, "--json")
    assert scored.code == 0, scored.err
    assert "1 rows of the target aim.jsonl are no documents" in scored.err
    selected = run("select", "s.parquet", "--recipe", "recipe.json", *given, "--json")
    assert selected.code == 0, selected.err
    frozen = run("export", "s.parquet", "--recipe", "recipe.json", *given, "--out", "m.manifest", "--json")
    assert frozen.code == 0, frozen.err
    Path("aim.jsonl").unlink()
    applied = run("apply", "m.manifest", "corpus", "--out", "out", "--json")
    assert applied.code == 0, applied.err
    assert 0 < applied.json["counts"]["kept"] < 80
