"""What scoring a whole corpus would cost."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import print_json, print_table
from workbench.cli.options import Json
from workbench.errors import InputError


@app.command()
def cost(
    store: Annotated[Path, typer.Option(help="Folder in which `workbench score` measured.")],
    n_tokens: Annotated[
        float | None,
        typer.Option("--tokens", help="Tokens of the corpus, of the tokenizer in use; 1e12 will do."),
    ] = None,
    n_bytes: Annotated[
        float | None, typer.Option("--bytes", help="UTF-8 bytes of its text, instead.")
    ] = None,
    price: Annotated[
        float | None, typer.Option(help="What an hour of the device costs, in whatever money.", min=0)
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what each measured score would cost on a corpus: device hours and money, with 95 % intervals.

    Example: workbench cost --store store --tokens 1e12 --price 3.5
    """
    from workbench.engine.cost import bytes_per_token, estimate_costs, read_costs

    if not store.is_dir():
        raise InputError(f"there is no store {store}; give the folder that `workbench score --store` wrote")
    costs = read_costs(store)
    if (n_tokens is None) == (n_bytes is None):
        raise InputError("say how large the corpus is: either --tokens or --bytes")
    size = n_bytes if n_tokens is None else n_tokens
    if not 0 < (size or 0) < math.inf:
        raise InputError(f"the size of a corpus must be above 0 and finite, got {size:g}")
    if n_bytes is None:
        ratio = bytes_per_token(costs)
        if costs and ratio is None:
            raise InputError(
                "nobody counted tokens in this store, so --tokens says nothing; give --bytes, or score n_tokens first"
            )
        n_bytes = (n_tokens or 0) * (ratio or 0)
    estimates = estimate_costs(costs, n_bytes)
    if as_json:
        money = {} if price is None else {"price": price}
        print_json({"n_bytes": n_bytes, **money, "estimates": [asdict(e) for e in estimates]})
        return
    head = ("score", "model", "device", "measured documents", "MB/s", "hours", "95 % interval")
    rows = []
    for e in estimates:
        interval = (
            "one part: not known" if e.low is None or e.high is None else f"{e.low:,.4g} to {e.high:,.4g}"
        )
        cells = (
            e.model,
            e.device,
            e.n_documents,
            f"{e.bytes_per_second / 1e6:,.3g}",
            f"{e.hours:,.4g}",
            interval,
        )
        rows.append((e.score, *cells, *((f"{e.hours * price:,.4g}",) if price is not None else ())))
    print_table((*head, *(("money",) if price is not None else ())), rows)
    typer.echo("for documents like the sample's, on a device like the one named")
