"""The main job on the embedded sample, and what there is: methods, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_table, progress_shown
from workbench.cli.options import Json, Kind, Reading, takes_groups


@app.command()
@takes_groups
def demo(
    reading: Reading,
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="[CORPUS]", help="A small corpus of your own; the embedded sample by default."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the store, the manifest, the result and the report.")
    ] = Path("demo-out"),
    as_json: Json = False,
) -> None:
    """Run the main job on the embedded sample, or a small corpus: score, map, select, export, apply, verify, report.

    Example: workbench demo --out demo-out
    """
    from workbench.demo import run_demo

    echo = (lambda line: None) if as_json else typer.echo
    given = reading.corpus([corpus]) if corpus is not None else None
    result = run_demo(out, progress_shown(as_json=as_json), echo=echo, corpus=given)
    if as_json:
        print_json(result)
    end(result["n_quarantined"], Path(result["applied"]) / "quarantine")


@app.command()
def methods(as_json: Json = False) -> None:
    """List every score and selector.

    Example: workbench methods --json
    """
    from workbench.summary import methods as listed

    if as_json:
        print_json(listed())
        return
    for kind in ("score", "selector"):
        rows = {m["name"]: (m["scope"], m["title"]) for m in listed() if m["kind"] == kind}
        print_table((kind, "scope", "meaning"), rows)


@app.command()
def schema(
    kind: Annotated[Kind, typer.Argument(help="recipe or manifest")],
    as_json: Json = False,
) -> None:
    """Print a JSON schema (always JSON).

    Example: workbench schema recipe > recipe.schema.json
    """
    from workbench.recipe.schema import manifest_schema, recipe_schema

    print_json(recipe_schema() if kind is Kind.recipe else manifest_schema())
