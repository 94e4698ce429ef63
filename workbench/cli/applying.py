"""Running a manifest over a corpus, and checking what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.app import app
from workbench.cli.console import VERIFICATION_FAILED, end, print_json, print_table, printable, progress_shown
from workbench.cli.options import Engine, Form, Json, ManifestFolder, ModelFiles, Reading, takes_groups


@app.command()
@takes_groups
def apply(
    manifest: ManifestFolder,
    corpus: Annotated[list[str], typer.Argument(help="Files, folders or globs; local or URLs.")],
    out: Annotated[Path, typer.Option(help="Folder to write; of an interrupted run, it goes on.")],
    choice: ModelFiles,
    reading: Reading,
    form: Annotated[
        Form,
        typer.Option(
            "--as",
            help="data: what is kept whole, what is dropped with its reason. sidecar: of each document only where it "
            "stands and what was decided; the corpus stays where it is.",
        ),
    ] = Form.data,
    engine: Annotated[Engine, typer.Option(help="local, or ray for a cluster.")] = Engine.local,
    workers: Annotated[
        int,
        typer.Option(
            help="Processes; each takes a shard at a time, and a GPU of its own if there are several.", min=1
        ),
    ] = 1,
    as_json: Json = False,
) -> None:
    """Decide for every document of a corpus as a manifest says; write kept, dropped and quarantined ones.

    Example: workbench apply web.manifest corpus/ --out selected --workers 4
    """
    from workbench.engine.apply import apply as run

    done = run(
        manifest,
        reading.corpus(corpus),
        out,
        embedder=choice.embedder,
        lm=choice.lm,
        ngram=choice.ngram,
        form=form.value,
        runner=_runner(engine, workers),
        progress=progress_shown(as_json=as_json),
    )
    record = done.record
    if as_json:
        print_json(record)
    else:
        rows = {s: (v["n_documents"], v["n_read"], v["n_tokens"]) for s, v in record["by_source"].items()}
        print_table(("source", "kept", "of", "tokens kept"), rows)
        counts = ", ".join(f"{n:,} {name}" for name, n in record["counts"].items())
        typer.echo(f"documents: {counts}; written to {out}")
    end(done.n_quarantined, out / "quarantine")


@app.command()
def verify(
    manifest: ManifestFolder,
    out: Annotated[Path, typer.Argument(help="Folder that `workbench apply` wrote.")],
    as_json: Json = False,
) -> None:
    """Hold what `apply` wrote against the manifest: files, counts, decisions, expectations.

    Example: workbench verify web.manifest selected
    """
    from workbench.engine.verify import verify as check

    result = check(manifest, out)
    lines = {"passed": result.passed, "failed": result.failed, "warnings": result.warnings}
    if as_json:
        print_json({"holds": result.holds, **lines})
    else:
        for mark, kind in (("ok     ", "passed"), ("FAILED ", "failed"), ("note   ", "warnings")):
            for line in lines[kind]:
                typer.echo(mark + printable(line))
    if not result.holds:
        raise typer.Exit(VERIFICATION_FAILED)


def _runner(engine: Engine, workers: int) -> Any:
    if engine is Engine.ray:
        from workbench.engine.ray import RayRunner

        return RayRunner(workers)
    from workbench.engine.local import LocalRunner

    return LocalRunner(workers)
