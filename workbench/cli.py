"""The command line. It parses, calls, and prints; every sentence that a user sees on a fault is an
exception's text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from workbench.errors import Cancelled, InputError, RecipeError, WorkbenchError

if TYPE_CHECKING:
    from workbench.corpus import Corpus, Sample
    from workbench.engine.score import Table
    from workbench.models.load import Models
    from workbench.progress import Progress
    from workbench.recipe.model import Recipe

QUARANTINED = 3
"""Exit code: done, but some rows could not be read."""

VERIFICATION_FAILED = 4

app = typer.Typer(
    help="Choose LLM training data: sample, score, select, export a manifest, apply and verify it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")
]
TextColumn = Annotated[str, typer.Option(help="Column that holds the text.")]
IdColumn = Annotated[
    str | None,
    typer.Option(help='Column that holds the id; by default doc_id or id; "" makes ids from content.'),
]
SourceColumn = Annotated[
    str | None, typer.Option(help="Column that holds the source; by default source, else the file.")
]
Embedder = Annotated[str | None, typer.Option(help="Embedder: a name, a folder or a hub id.")]
Lm = Annotated[
    str | None, typer.Option(help="Causal LM: a name (reference-lm, SmolLM2-135M), a folder or a hub id.")
]
StoreFolder = Annotated[
    Path, typer.Option("--store", help="Folder that keeps the scores; a second run takes them from it.")
]
RecipeFile = Annotated[Path, typer.Option("--recipe", help="Recipe, a JSON file.")]
SampleFile = Annotated[str, typer.Argument(metavar="SAMPLE", help="Sample, or any small corpus.")]
MaxBytes = Annotated[int, typer.Option(help="Longer documents (in UTF-8 bytes) are quarantined.")]
_MAX = 16 * 2**20


class Engine(StrEnum):
    """Where `apply` runs."""

    local = "local"
    ray = "ray"


class Kind(StrEnum):
    """What has a schema."""

    recipe = "recipe"
    manifest = "manifest"


def _print_json(value: object) -> None:
    # In ASCII, which any locale can take; what isn't finite becomes null, as orjson has it.
    typer.echo(json.dumps(orjson.loads(orjson.dumps(value)), indent=2))


def _progress(as_json: bool) -> Progress:
    from workbench.progress import Silent, Terminal

    return Terminal() if sys.stderr.isatty() and not as_json else Silent()


def _count(n: float) -> str:
    return f"{n:,.0f}"


def _end(n_quarantined: int, where: Path | None) -> None:
    """Name what was quarantined, and leave with the exit code for it."""
    if n_quarantined:
        place = f"; see {where}" if where else ""
        typer.echo(f"{_count(n_quarantined)} rows could not be used{place}", err=True)
        raise typer.Exit(QUARANTINED)


def _read_sample(path: str, text: str, doc_id: str | None, source: str | None, max_bytes: int) -> Sample:
    from workbench.corpus import read_sample

    return read_sample(
        path, text_column=text, id_column=doc_id, source_column=source, max_document_bytes=max_bytes
    )


def _write_quarantine(sample: Sample, folder: Path) -> Path | None:
    """Write the rows that this reading put aside."""
    from workbench.corpus import write_quarantine

    if not sample.quarantined:
        return None
    path = folder / "quarantine.jsonl"
    write_quarantine(path, sample.quarantined)
    return path


def _read_recipe(path: Path) -> Recipe:
    from workbench.recipe.schema import parse_recipe

    try:
        return parse_recipe(path.read_bytes())
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"the recipe {path} can't be read ({error.strerror}); check the path") from None


def _models(embedder: str | None, lm: str | None) -> Models:
    from workbench.models.load import Models
    from workbench.models.locate import DEFAULT_EMBEDDER, DEFAULT_LM

    return Models(embedder=embedder or DEFAULT_EMBEDDER, lm=lm or DEFAULT_LM)


def _score_for(recipe: Recipe, sample: Sample, store: Path, models: Models, progress: Progress) -> Table:
    from workbench.engine.export import used_scores
    from workbench.engine.score import score

    names = used_scores(recipe)
    return score(
        sample, names, store=store, models=models, params=recipe.scores, seed=recipe.seed, progress=progress
    )


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for the store, the manifest, the result and the report.")
    ] = Path("demo-out"),
    as_json: Json = False,
) -> None:
    """Run the main job on the embedded sample: score, map, select, export, apply, verify, report.

    Example: workbench demo --out demo-out
    """
    from workbench.demo import run_demo

    result = run_demo(out, _progress(as_json), echo=(lambda line: None) if as_json else typer.echo)
    if as_json:
        _print_json(result)


@app.command()
def sample(
    corpus: Annotated[str, typer.Argument(help="A file, a folder or a glob; local or a URL.")],
    n: Annotated[int, typer.Option("--n", help="Documents to draw.", min=1)],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    by: Annotated[
        str | None, typer.Option(help='Stratify by "source"; "none" draws over everything.')
    ] = "source",
    seed: Annotated[
        int, typer.Option(help="Same seed, same documents, in whatever order the files are.")
    ] = 0,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    source_column: SourceColumn = None,
    max_document_bytes: MaxBytes = _MAX,
    as_json: Json = False,
) -> None:
    """Draw a sample of a corpus that remembers how it was drawn.

    Example: workbench sample corpus/ --n 5000 --by source --seed 0 --out sample.parquet
    """
    from workbench.summary import sample_summary

    source = _corpus([corpus], text_column, id_column, source_column, max_document_bytes)
    drawn = source.sample(n, by=None if by in (None, "none") else by, seed=seed, progress=_progress(as_json))
    drawn.write(out)
    quarantine = (
        _write_quarantine(drawn, out.parent / f"{out.stem}.quarantine") if drawn.quarantined else None
    )
    summary = {
        **sample_summary(drawn),
        "out": str(out),
        "quarantine": str(quarantine) if quarantine else None,
    }
    if as_json:
        _print_json(summary)
    else:
        rows = {
            s: (v["n_sample"], v["n_corpus"], f"{v['rate']:.4f}") for s, v in summary["by_source"].items()
        }
        _table(("source", "drawn", "in the corpus", "rate"), rows)
        typer.echo(f"{_count(len(drawn))} documents written to {out}")
    _end(len(drawn.quarantined), quarantine)


def _corpus(paths: list[str], text: str, doc_id: str | None, source: str | None, max_bytes: int) -> Corpus:
    from workbench.corpus import read

    where = paths[0] if len(paths) == 1 else paths
    return read(where, text_column=text, id_column=doc_id, source_column=source, max_document_bytes=max_bytes)


def _table(head: tuple[str, ...], rows: Mapping[str, tuple[object, ...]]) -> None:
    """Print a table; numbers get separators and stand right. Cells are text, never markup."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=None, pad_edge=False)
    for i, title in enumerate(head):
        table.add_column(title, justify="left" if i == 0 else "right", overflow="fold")
    for name, cells in rows.items():
        shown = [f"{c:,}" if isinstance(c, int) else str(c) for c in cells]
        table.add_row(*(Text(_printable(cell)) for cell in (name, *shown)))
    Console(markup=False, highlight=False).print(table)


def _printable(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@app.command()
def score(
    sample: SampleFile,
    scores: Annotated[
        str, typer.Option(help="Names of scores with commas between; `workbench methods` lists them.")
    ],
    store: StoreFolder,
    embedder: Embedder = None,
    lm: Lm = None,
    seed: Annotated[int, typer.Option(help="For what is fitted on the sample.")] = 0,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    source_column: SourceColumn = None,
    max_document_bytes: MaxBytes = _MAX,
    as_json: Json = False,
) -> None:
    """Compute scores of a sample into a store; stopped and run again, it goes on where it was.

    Example: workbench score sample.parquet --scores n_tokens,perplexity,embedding --store store
    """
    from workbench.engine.score import score as compute
    from workbench.summary import score_summary

    names = [name.strip() for name in scores.split(",") if name.strip()]
    if not names:
        raise InputError("--scores needs at least one name; `workbench methods` lists them all")
    documents = _read_sample(sample, text_column, id_column, source_column, max_document_bytes)
    models = _models(embedder, lm)
    table = compute(documents, names, store=store, models=models, seed=seed, progress=_progress(as_json))
    quarantine = _write_quarantine(documents, store)
    summary = score_summary(table)
    if as_json:
        _print_json(
            {"n_documents": len(table), "n_quarantined": len(documents.quarantined), "scores": summary}
        )
    else:
        rows = {
            n: (s["n_documents"], *(f"{label} {count:,}" for label, count in [*s["labels"].items()][:3]))
            if "labels" in s
            else tuple(_cell(s.get(k)) for k in ("n_documents", "p05", "p50", "p95"))
            for n, s in summary.items()
        }
        _table(("score", "documents", "5 %", "median", "95 %"), rows)
        typer.echo(f"stored in {store}")
    _end(len(documents.quarantined), quarantine)


def _cell(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else value)


@app.command()
def select(
    sample: SampleFile,
    recipe: RecipeFile,
    store: StoreFolder,
    embedder: Embedder = None,
    lm: Lm = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    source_column: SourceColumn = None,
    max_document_bytes: MaxBytes = _MAX,
    as_json: Json = False,
) -> None:
    """Count what a recipe keeps: in all, per source, per step.

    Example: workbench select sample.parquet --recipe recipe.json --store store
    """
    from workbench.engine.select import select as run
    from workbench.summary import select_summary

    parsed = _read_recipe(recipe)
    documents = _read_sample(sample, text_column, id_column, source_column, max_document_bytes)
    table = _score_for(parsed, documents, store, _models(embedder, lm), _progress(as_json))
    summary = select_summary(table, run(parsed, table))
    quarantine = _write_quarantine(documents, store)
    if as_json:
        _print_json(summary)
    else:
        _print_selection(summary)
    _end(len(documents.quarantined), quarantine)


def _print_selection(summary: Mapping[str, Any]) -> None:
    names = ("n_documents", "n_tokens", "n_bytes")
    head = ("", *(f"{what} {name[2:]}" for name in names for what in ("kept", "of")))
    rows = {"all": summary["all"], **summary["by_source"]}
    _table(head, {n: tuple(r[what][a] for a in names for what in ("kept", "total")) for n, r in rows.items()})
    steps = {
        f"{i} {s['select']}": (s["n_documents"], s["n_tokens"]) for i, s in enumerate(summary["by_step"], 1)
    }
    _table(("step", "documents dropped", "tokens dropped"), steps)
    corpus = summary["corpus"]
    e = corpus["kept"]["n_documents"]
    typer.echo(f"of the corpus: {_expected(corpus['basis'], e)}")


def _expected(basis: str, e: Mapping[str, float]) -> str:
    """An expectation in words; of a corpus with copies only its upper bound says something."""
    if basis == "exact":
        return f"{_count(e['value'])} documents"
    if basis == "upper_bound":
        return f"at most {_count(e['high'])} documents, fewer by the copies that the sample doesn't show"
    return f"{_count(e['low'])} to {_count(e['high'])} documents (95 % interval)"


@app.command()
def export(
    sample: SampleFile,
    recipe: RecipeFile,
    store: StoreFolder,
    out: Annotated[Path, typer.Option(help="Manifest folder to write, by custom NAME.manifest.")],
    embedder: Embedder = None,
    lm: Lm = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    source_column: SourceColumn = None,
    max_document_bytes: MaxBytes = _MAX,
    as_json: Json = False,
) -> None:
    """Freeze a recipe into a manifest that `workbench apply` runs over the whole corpus.

    Example: workbench export sample.parquet --recipe recipe.json --store store --out web.manifest
    """
    from workbench.engine.export import export as freeze
    from workbench.recipe.manifest import read_manifest

    parsed = _read_recipe(recipe)
    documents = _read_sample(sample, text_column, id_column, source_column, max_document_bytes)
    table = _score_for(parsed, documents, store, _models(embedder, lm), _progress(as_json))
    manifest = read_manifest(freeze(table, parsed, out))
    quarantine = _write_quarantine(documents, store)
    if as_json:
        expected = manifest.expected.model_dump()
        _print_json({"manifest": str(out), "digest": manifest.digest, "expected": expected})
    else:
        kept = manifest.expected.all["n_documents"].model_dump()
        typer.echo(f"{out} written; the corpus will keep {_expected(manifest.expected.basis, kept)}")
    _end(len(documents.quarantined), quarantine)


@app.command()
def apply(
    manifest: Annotated[Path, typer.Argument(help="Manifest folder.")],
    corpus: Annotated[list[str], typer.Argument(help="Files, folders or globs; local or URLs.")],
    out: Annotated[Path, typer.Option(help="Folder to write; of an interrupted run, it goes on.")],
    engine: Annotated[Engine, typer.Option(help="local, or ray for a cluster.")] = Engine.local,
    workers: Annotated[int, typer.Option(help="Processes; each takes a shard at a time.", min=1)] = 1,
    embedder: Embedder = None,
    lm: Lm = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    source_column: SourceColumn = None,
    max_document_bytes: MaxBytes = _MAX,
    as_json: Json = False,
) -> None:
    """Decide for every document of a corpus as a manifest says; write kept, dropped and quarantined ones.

    Example: workbench apply web.manifest corpus/ --out selected --workers 4
    """
    from workbench.engine.apply import apply as run

    source = _corpus(corpus, text_column, id_column, source_column, max_document_bytes)
    done = run(
        manifest,
        source,
        out,
        embedder=embedder,
        lm=lm,
        runner=_runner(engine, workers),
        progress=_progress(as_json),
    )
    record = done.record
    if as_json:
        _print_json(record)
    else:
        rows = {s: (v["n_documents"], v["n_read"], v["n_tokens"]) for s, v in record["by_source"].items()}
        _table(("source", "kept", "of", "tokens kept"), rows)
        counts = ", ".join(f"{_count(n)} {name}" for name, n in record["counts"].items())
        typer.echo(f"documents: {counts}; written to {out}")
    _end(done.n_quarantined, out / "quarantine")


def _runner(engine: Engine, workers: int) -> Any:
    if engine is Engine.ray:
        from workbench.engine.ray import RayRunner

        return RayRunner(workers)
    from workbench.engine.local import LocalRunner

    return LocalRunner(workers)


@app.command()
def verify(
    manifest: Annotated[Path, typer.Argument(help="Manifest folder.")],
    out: Annotated[Path, typer.Argument(help="Folder that `workbench apply` wrote.")],
    as_json: Json = False,
) -> None:
    """Hold what `apply` wrote against the manifest: files, counts, decisions, expectations.

    Example: workbench verify web.manifest selected
    """
    from workbench.engine.verify import verify as check

    result = check(manifest, out)
    if as_json:
        _print_json(
            {
                "holds": result.holds,
                "passed": result.passed,
                "failed": result.failed,
                "warnings": result.warnings,
            }
        )
    else:
        for mark, lines in (
            ("ok     ", result.passed),
            ("FAILED ", result.failed),
            ("note   ", result.warnings),
        ):
            for line in lines:
                typer.echo(mark + _printable(line))
    if not result.holds:
        raise typer.Exit(VERIFICATION_FAILED)


@app.command()
def methods(as_json: Json = False) -> None:
    """List every score and selector.

    Example: workbench methods --json
    """
    from workbench.summary import methods as listed

    if as_json:
        _print_json(listed())
        return
    for kind in ("score", "selector"):
        rows = {m["name"]: (m["scope"], m["title"]) for m in listed() if m["kind"] == kind}
        _table((kind, "scope", "meaning"), rows)


@app.command()
def schema(
    kind: Annotated[Kind, typer.Argument(help="recipe or manifest")],
    as_json: Json = False,
) -> None:
    """Print a JSON schema (always JSON).

    Example: workbench schema recipe > recipe.schema.json
    """
    from workbench.recipe.schema import manifest_schema, recipe_schema

    _print_json(recipe_schema() if kind is Kind.recipe else manifest_schema())


def main() -> None:
    """Run the command line; faults that are foreseen become one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # what the terminal's encoding lacks is shown as a question mark
            stream.reconfigure(errors="replace")
    try:
        app(standalone_mode=True)
    except WorkbenchError as error:
        typer.echo(f"workbench: {_printable(str(error))}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # typer turns an interrupt into an exit without a word
        if stop.code == Cancelled.exit_code:
            typer.echo("workbench: stopped; finished parts are kept, run the same command to go on", err=True)
        raise
