"""The main job on the embedded sample, from corpus files to a verified selection and its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.corpus import Corpus, read
from workbench.embedded import data_folder, sample_corpus
from workbench.engine.apply import apply
from workbench.engine.export import expectations, export, used_scores
from workbench.engine.score import add_scores, score
from workbench.engine.select import select
from workbench.engine.verify import verify
from workbench.errors import InputError, VerificationError
from workbench.progress import Progress
from workbench.recipe.manifest import read_manifest
from workbench.recipe.schema import parse_recipe
from workbench.report import write_report

MAP = ("map_x", "map_y", "cluster")


def run_demo(
    out: Path, progress: Progress, echo: Callable[[str], None], corpus: Corpus | None = None
) -> dict[str, Any]:
    """Score, map and cluster a small corpus, select, export, apply to the same files, verify, report.

    Parameters
    ----------
    out
        Folder for everything; a second run takes the scores from its store.
    echo
        Is told what was done, a line at a time.
    corpus
        Small enough to be its own sample; the embedded one if None.

    Raises
    ------
    InputError
        If the corpus has no document.
    VerificationError
        If what was applied isn't what the selection showed.
    """
    started = time.monotonic()
    corpus = corpus or read(sample_corpus())
    sample = corpus.whole(progress)
    if not len(sample):
        raise InputError(
            f"the corpus holds no document that can be used ({len(sample.quarantined):,} rows can't be read); "
            "give another one"
        )
    echo(f"{len(sample):,} documents of {len(sample.design.strata)} sources")
    recipe = parse_recipe((data_folder() / "recipe.json").read_bytes())
    store = out / "store"
    table = score(
        sample, (*used_scores(recipe), "language"), store=store, seed=recipe.seed, progress=progress
    )
    if find_spec("umap") and find_spec("hdbscan"):
        add_scores(table, MAP, store=store, seed=recipe.seed, progress=progress)
    echo(f"scored, mapped and clustered: {len(table.scores)} columns in {store}")
    outcome = select(recipe, table)
    manifest = export(table, outcome.fitted, out / "demo.manifest")
    digest = read_manifest(manifest).digest
    # A changed manifest gets a folder of its own, since apply never overwrites another one's result.
    # These are the documents that were just scored; on any other corpus `apply` computes what it doesn't know.
    run = apply(manifest, corpus, out / f"applied-{digest[:12]}", known=table, progress=progress)
    checked = verify(manifest, run.out)
    if not checked.holds:
        raise VerificationError(f"the applied manifest doesn't hold: {checked.failed[0]}")
    report = write_report(
        out / "report.html", table, outcome, expected=expectations(table, outcome), manifest=manifest
    )
    kept = run.record["kept"]
    seconds = time.monotonic() - started
    echo(f"kept: {kept['n_documents']:,} documents, {kept['n_tokens']:,} tokens, {kept['n_bytes']:,} bytes")
    echo(f"applied to the same files and verified: {len(checked.passed)} checks passed, in {run.out}")
    echo(f"manifest: {manifest}")
    echo(f"report: {report}")
    echo(f"{seconds:.0f} seconds")
    return {
        "kept": dict(kept),
        "total": {"n_documents": len(sample)},
        "n_quarantined": run.n_quarantined,
        "manifest": str(manifest),
        "applied": str(run.out),
        "report": str(report),
        "seconds": round(seconds, 1),
    }
