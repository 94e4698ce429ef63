"""The main job on the embedded sample, and what there is: methods, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_table, progress_shown
from workbench.cli.options import Json, Kind, Reading, takes_groups
from workbench.errors import InputError


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
def methods(
    name: Annotated[str | None, typer.Argument(help="One method, for all that is known of it.")] = None,
    as_json: Json = False,
) -> None:
    """List every score and selector, or say what one does, needs and assumes.

    Example: workbench methods semdedup
    """
    from workbench.summary import methods as listed

    found = [m for m in listed() if name in (None, m["name"])]
    if not found:
        raise InputError(f"there is no method {name!r}; `workbench methods` lists them all")
    if as_json:
        print_json(found if name is None else found[0])
    elif name is not None:
        _print_method(found[0])
    else:
        for kind in ("score", "selector"):
            rows = {
                m["name"]: (m["scope"], m["status"], ", ".join(m["needs"]), m["cost"], m["paper"], m["title"])
                for m in found
                if m["kind"] == kind
            }
            print_table((kind, "scope", "status", "needs", "cost", "paper", "meaning"), rows, of_words=True)


def _print_method(method: dict[str, Any]) -> None:
    typer.echo(f"{method['name']}: {method['title']}")
    for line in method.get("about", [method["paper"]] if method["paper"] else []):
        typer.echo(f"  {line}")
    for what in ("scope", "status", "cost", "unit", "better"):
        if what in method:
            typer.echo(f"  {what}: {method[what]}")
    typer.echo(f"  needs: {', '.join(method['needs']) or 'nothing but ids'}")
    if method["params"] and method["kind"] == "score":
        typer.echo(
            f'  parameters with their defaults; in a recipe "scores": {{"{method["name"]}": {{NAME: VALUE}}}}'
        )
    elif method["params"]:
        typer.echo("  parameters:")
    for param, text in method["params"].items():
        typer.echo(f"    {param}: {text}")


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
