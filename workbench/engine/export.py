"""Freezing a recipe on a scored sample into a manifest."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, BoolArray, canonical_json, require_keys
from workbench.engine.passes import Pass, plan_passes
from workbench.engine.select import Fitted, Outcome, fit, select
from workbench.engine.table import Table
from workbench.errors import InputError, ManifestError, WorkbenchWarning
from workbench.recipe.manifest import write_manifest
from workbench.recipe.model import Recipe
from workbench.recipe.schema import MANIFEST_FORMAT
from workbench.selectors.band import BandParams, constant
from workbench.stats.intervals import Known, Totals, kept_totals, places_of

ALWAYS = ("n_tokens", "n_bytes")
"""Scores that every manifest computes, since expectations are given in documents, tokens and bytes."""

_LIBRARIES = (
    "numpy",
    "polars",
    "pyarrow",
    "torch",
    "transformers",
    "sentence-transformers",
    "tokenizers",
    "faiss-cpu",
    "ufal-kenlm",
)


def used_scores(recipe: Recipe) -> tuple[str, ...]:
    """The scores that applying a recipe takes: those of its steps, and the counts."""
    return tuple(dict.fromkeys((*recipe.score_needs, *ALWAYS)))


def expectations(table: Table, outcome: Outcome) -> Totals:
    """What the corpus will keep, in documents, tokens and bytes, in all and per source, with 95 % intervals.

    Raises
    ------
    InputError
        If the table lacks `n_tokens` or `n_bytes`.
    """
    require_keys("an expectation", table.scores, ALWAYS)
    amounts = {
        "n_documents": np.ones(len(table)),
        **{name: table.scores[name].astype(np.float64) for name in ALWAYS},
    }
    return corpus_totals(table, outcome.keep, amounts)


def corpus_totals(table: Table, keep: BoolArray, amounts: Mapping[str, Array]) -> Totals:
    """Totals of the corpus's kept documents, as `workbench.stats.intervals.kept_totals`.

    `n_tokens` and `n_bytes` go along with the bytes of each source of the corpus, which the sample's design holds,
    where the table has `n_bytes`; other amounts are taken by the document.
    """
    strata = table.sample.design.strata
    known = {}
    if "n_bytes" in table.scores:
        totals = {source: float(stratum.n_bytes_corpus) for source, stratum in strata.items()}
        n_bytes = Known(table.scores["n_bytes"].astype(np.float64), totals)
        known = dict.fromkeys(ALWAYS, n_bytes)
    n_corpus = {source: stratum.n_corpus for source, stratum in strata.items()}
    # Places, since a million names take long to look up.
    places = places_of(table.sample.source_names, sorted(n_corpus))
    return kept_totals(
        keep, amounts, strata=places[table.sample.source_codes], n_corpus=n_corpus, known=known
    )


def expectation_basis(table: Table, recipe: Recipe) -> str:
    """How an expectation is meant: as workbench.recipe.schema.Expected says of its `basis`."""
    if all(stratum.n_sample == stratum.n_corpus for stratum in table.sample.design.strata.values()):
        return "exact"
    return "upper_bound" if any(step.spec.tracks_corpus for step in recipe.active.steps) else "estimate"


def step_counts(table: Table, outcome: Outcome) -> list[dict[str, Any]]:
    """Documents and tokens of the sample that each step drops."""
    require_keys("a count by step", table.scores, ["n_tokens"])
    tokens = table.scores["n_tokens"].astype(np.int64)
    return [
        {
            "select": step.select,
            "n_documents": int((outcome.step == i).sum()),
            "n_tokens": int(tokens[outcome.step == i].sum()),
        }
        for i, step in enumerate(outcome.fitted.recipe.steps)
    ]


def export(
    table: Table, recipe: Recipe | Fitted, out: Path | str, evidence: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """Write a manifest folder.

    Parameters
    ----------
    table
        The scored sample, with all scores of `used_scores(recipe)`.
    recipe
        What to freeze; its quantiles are resolved and its artefacts fitted on `table`. Steps that are off are left
        out.
    out
        The folder, by custom `NAME.manifest`; an older manifest there is replaced.
    evidence
        What speaks for the recipe (audits, proxy runs), each plain JSON; the manifest holds it as it is.

    Raises
    ------
    ManifestError
        If a step reads a score that is defined on the sample alone (a map, clusters), or `out` can't be
        written.
    InputError
        If the table lacks a score, a step can't decide about a document, or the evidence isn't plain JSON.
    """
    _check_evidence(evidence)
    fitted = (recipe if isinstance(recipe, Fitted) else fit(recipe, table)).active
    passes = plan_passes(used_scores(fitted.recipe), fitted.recipe.scores)
    _refuse_sample_scores(passes)
    require_keys("export", table.scores, [spec.name for p in passes for spec in p.specs])
    outcome = select(fitted, table)
    _warn_of_shares(table, fitted)
    artefacts: dict[str, dict[str, Array]] = {}
    scores = [entry for p in passes for entry in _score_entries(p, table, artefacts)]
    steps = [_step_entry(i, fitted, artefacts) for i in range(len(fitted.recipe.steps))]
    kinds = sorted({kind for p in passes for kind in p.model_needs})
    content = {
        "format": MANIFEST_FORMAT,
        "created_with": versions(),
        "input": {
            "fingerprint": table.sample.fingerprint,
            "n_documents": len(table),
            "design": json.loads(table.sample.design.to_json()),
        },
        "models": {kind: dict(table.models.definition(kind)) for kind in kinds},
        "scores": scores,
        "seed": fitted.recipe.seed,
        "score_params": {name: dict(settings) for name, settings in fitted.recipe.scores.items()},
        "steps": steps,
        "repeats": dict.fromkeys(sorted(set(table.sample.sources)), 1.0),
        "expected": {
            "basis": expectation_basis(table, fitted.recipe),
            **_totals_json(expectations(table, outcome)),
            "by_step": step_counts(table, outcome),
        },
        # By way of the text: what came may hold numpy's floats, which are plain by their type alone.
        "evidence": json.loads(canonical_json([dict(item) for item in evidence])),
    }
    write_manifest(Path(out), content, artefacts)
    return Path(out)


def _check_evidence(evidence: Sequence[Mapping[str, Any]]) -> None:
    try:
        canonical_json(list(evidence))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"evidence must be plain JSON, got something else ({error}); give numbers and texts"
        ) from None


def _warn_of_shares(table: Table, fitted: Fitted) -> None:
    """A share of near-copies is turned into a similarity on the sample, and a denser corpus has more beyond it."""
    if expectation_basis(table, fitted.recipe) != "upper_bound":
        return
    for index, (step, state) in enumerate(zip(fitted.recipe.steps, fitted.states, strict=True)):
        if step.spec.tracks_corpus and step.spec.solve is not None and len(state) > 1:
            warnings.warn(
                f"step {index + 1}: {step.select}: the share to keep is met on the sample; of the corpus, which has "
                "more near-copies of each document, far less may be kept: take a larger sample, or epsilon",
                WorkbenchWarning,
                stacklevel=3,
            )


def _refuse_sample_scores(passes: list[Pass]) -> None:
    for p in passes:
        if p.first.scope == "sample":
            raise ManifestError(
                f"{p.first.name} is defined on the sample as a whole and can't be computed for a corpus; "
                "take the step that reads it out of the recipe before exporting"
            )


def _score_entries(p: Pass, table: Table, artefacts: dict[str, dict[str, Array]]) -> list[dict[str, Any]]:
    state = table.states.get(p.first.name)
    file = f"score_{p.first.name}.safetensors" if state else None
    if file and state:
        artefacts[file] = dict(state)
    entries = []
    for spec in p.specs:
        definition = table.definitions[spec.name]
        entries.append(
            {
                "name": spec.name,
                "version": spec.version,
                "unit": spec.unit,
                "dtype": spec.dtype,
                "params": definition["params"],
                "models": list(p.model_needs),
                "needs": definition["needs"],
                "state": definition["state"],
                "artefact": file,
            }
        )
    return entries


def _step_entry(index: int, fitted: Fitted, artefacts: dict[str, dict[str, Array]]) -> dict[str, Any]:
    step, state = fitted.recipe.steps[index], fitted.states[index]
    file = f"step_{index:02d}_{step.select}.safetensors" if state else None
    if file:
        artefacts[file] = dict(state)
    params = {name: value for name, value in step.to_json().items() if name != "select"}
    spec = step.spec
    return {
        "select": spec.name,
        "version": spec.version,
        "scope": spec.scope,
        "params": params,
        "artefact": file,
    }


def _totals_json(totals: Totals) -> dict[str, Any]:
    def row(amounts: Any) -> dict[str, dict[str, float]]:
        return {name: {"value": e.value, "low": e.low, "high": e.high} for name, e in amounts.items()}

    return {"all": row(totals.all), "by_source": {source: row(a) for source, a in totals.by_source.items()}}


def versions() -> dict[str, str]:
    """Versions of what decides numbers, for manifest and run."""
    versions = {"python": platform.python_version(), "selection-workbench": _version("selection-workbench")}
    return versions | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def thresholds(recipe: Recipe) -> dict[str, list[tuple[float | None, float | None]]]:
    """The resolved bounds of each score's bands, for drawing."""
    bounds: dict[str, list[tuple[float | None, float | None]]] = {}
    for step in recipe.active.steps:
        if isinstance(step.params, BandParams):
            bounds.setdefault(step.params.score, []).append(
                (constant(step.params.low), constant(step.params.high))
            )
    return bounds
