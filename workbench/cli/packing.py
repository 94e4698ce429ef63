"""Rows of token ids from what was kept."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import print_json, print_table, progress_shown
from workbench.cli.options import Json


class LongDocuments(StrEnum):
    """What becomes of documents longer than a row."""

    paper = "paper"
    repo = "repo"


@app.command()
def pack(
    kept: Annotated[Path, typer.Argument(help="Folder that `workbench apply` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder to write; of an interrupted run, it goes on.")],
    tokenizer: Annotated[
        str, typer.Option(help="A tokenizer.json, a folder with one, or a model as for --lm.")
    ] = "reference-lm",
    context: Annotated[int, typer.Option(help="Tokens of a row.", min=2)] = 2048,
    end: Annotated[
        str | None,
        typer.Option(help="Token that ends a document and fills rows up; by default the tokenizer's own."),
    ] = None,
    variant: Annotated[
        LongDocuments, typer.Option(help="Longer documents: paper cuts them, repo loses what is over.")
    ] = LongDocuments.paper,
    seed: Annotated[int, typer.Option(help="Of the order of the rows.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Pack kept documents, each as often as its weight says, into rows of token ids, best fit first: few are cut.

    Example: workbench pack selected --tokenizer SmolLM2-135M --context 2048 --out rows
    """
    from workbench.engine.pack import PackParams
    from workbench.engine.pack import pack as run

    params = PackParams(context, tokenizer, end, variant.value, seed)
    record = run(kept, out, params, progress_shown(as_json=as_json))
    if as_json:
        print_json(record)
        return
    other = record["concatenation"]
    print_table(
        ("packing", "rows", "documents cut"),
        {
            "best fit": (record["n_rows"], record["n_cut_documents"]),
            "concatenation": (other["n_rows"], other["n_cut_documents"]),
        },
    )
    filled = (
        "" if record["filled_fraction"] is None else f", {record['filled_fraction']:.2%} of the rows filled"
    )
    repeated = record["n_copies"] != record["n_documents"]
    copies = f" in {record['n_copies']:,} copies by their weights" if repeated else ""
    typer.echo(
        f"{record['n_documents']:,} documents{copies}, {record['n_tokens']:,} tokens{filled}; written to {out}"
    )
