"""Running a recipe over a sample, and freezing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import end, expected, print_json, print_selection, progress_shown
from workbench.cli.documents import read_documents, read_target, scored
from workbench.cli.options import (
    Json,
    ModelChoice,
    Reading,
    RecipeFile,
    SampleFile,
    StoreFolder,
    TargetFile,
    read_recipe,
    takes_groups,
)


@app.command()
@takes_groups
def select(
    sample: SampleFile,
    recipe: RecipeFile,
    store: StoreFolder,
    choice: ModelChoice,
    reading: Reading,
    target: TargetFile = None,
    as_json: Json = False,
) -> None:
    """Count what a recipe keeps: in all, per source, per step.

    Example: workbench select sample.parquet --recipe recipe.json --store store
    """
    from workbench.engine.select import select as run
    from workbench.summary import select_summary

    parsed = read_recipe(recipe)
    documents, quarantine = read_documents(reading, sample, store)
    compared = read_target(reading, target, store)
    table = scored(parsed, documents, store, choice, progress_shown(as_json=as_json), compared)
    summary = select_summary(table, run(parsed, table))
    (print_json if as_json else print_selection)(summary)
    end(len(documents.quarantined), quarantine)


@app.command()
@takes_groups
def export(
    sample: SampleFile,
    recipe: RecipeFile,
    store: StoreFolder,
    out: Annotated[Path, typer.Option(help="Manifest folder to write, by custom NAME.manifest.")],
    choice: ModelChoice,
    reading: Reading,
    target: TargetFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the manifest of another recipe in that folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Freeze a recipe into a manifest that `workbench apply` runs over the whole corpus.

    Example: workbench export sample.parquet --recipe recipe.json --store store --out web.manifest
    """
    from workbench.engine.export import export as freeze
    from workbench.engine.select import fit
    from workbench.recipe.manifest import read_manifest, refuse_other_manifest

    parsed = read_recipe(recipe)
    documents, quarantine = read_documents(reading, sample, store)
    compared = read_target(reading, target, store)
    table = scored(parsed, documents, store, choice, progress_shown(as_json=as_json), compared)
    fitted = fit(parsed, table)
    if not replace:
        refuse_other_manifest(out, fitted.recipe, "add --replace")
    manifest = read_manifest(freeze(table, fitted, out))
    if as_json:
        what = manifest.expected.model_dump()
        print_json({"manifest": str(out), "digest": manifest.digest, "expected": what})
    else:
        kept = manifest.expected.all["n_documents"].model_dump()
        typer.echo(f"{out} written; the corpus will keep {expected(manifest.expected.basis, kept)}")
    end(len(documents.quarantined), quarantine)
