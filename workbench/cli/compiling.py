"""A manifest in the words of other tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.options import ManifestFolder


class Target(StrEnum):
    """What a manifest can be compiled to."""

    POLARS = "polars"
    SQL = "sql"
    DATATROVE = "datatrove"


@app.command(name="compile")
def compile_(
    manifest: ManifestFolder,
    to: Annotated[
        Target,
        typer.Option(
            help="polars: a Python file with an expression; sql: a query for DuckDB; datatrove: a script that runs "
            "the manifest as a pipeline of it."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write; without it the text is printed.")] = None,
) -> None:
    """Say what a manifest keeps in the words of another tool; a step that it can't express is refused by name.

    Example: workbench compile web.manifest --to sql --out web.sql
    """
    from workbench.engine.plan import manifest_recipe
    from workbench.files import written_aside
    from workbench.recipe.compile import to_datatrove, to_polars, to_sql
    from workbench.recipe.manifest import read_manifest

    held = read_manifest(manifest)
    if to is Target.DATATROVE:
        text = to_datatrove(held, manifest)
    else:
        text = (to_polars if to is Target.POLARS else to_sql)(manifest_recipe(held))
    if out is None:
        typer.echo(text, nl=False)
        return
    with written_aside(out) as aside:
        aside.write_text(text, encoding="utf-8")
    typer.echo(f"{out} written")
