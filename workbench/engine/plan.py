"""What a manifest asks to be done, as plain values: no file of a corpus is touched here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.checks import Array
from workbench.engine.export import ALWAYS
from workbench.engine.passes import Pass, params_json, plan_passes
from workbench.engine.score import state_digest
from workbench.errors import ManifestError
from workbench.models.load import Models
from workbench.recipe.manifest import read_artefact, read_manifest
from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import Manifest, ScoreEntry, parse_step
from workbench.scores import SCORES
from workbench.selectors import SELECTORS


@dataclass(frozen=True)
class Plan:
    """A manifest made ready to run.

    Attributes
    ----------
    steps, states
        The steps in order, and the fitted artefact of each.
    passes
        Every pass that some step, or the counts, ask for, in the order of computing.
    pass_states
        The fitted artefact of each pass, by the name of its first score.
    first_group
        Index of the first step that must see whole groups; the steps before it are decided batch by batch.
    """

    manifest: Manifest
    steps: tuple[Step, ...]
    states: tuple[Mapping[str, Array], ...]
    passes: tuple[Pass, ...]
    pass_states: Mapping[str, Mapping[str, Array]]
    models: Models

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return self.manifest.seed

    @property
    def first_group(self) -> int:
        """Index of the first step of scope "group", the number of steps if there is none."""
        rows = [step.spec.scope == "row" for step in self.steps]
        return rows.index(False) if False in rows else len(rows)

    @property
    def later_needs(self) -> tuple[str, ...]:
        """The columns that steps from the first group step on read."""
        return tuple(dict.fromkeys(need for step in self.steps[self.first_group :] for need in step.needs))

    @property
    def written_scores(self) -> tuple[str, ...]:
        """The scores written with kept documents: those that the recipe names, and the counts."""
        named = (need for step in self.steps for need in step.needs if need in SCORES)
        scalar = (name for name in named if not SCORES[name].vector)
        return tuple(dict.fromkeys((*scalar, *ALWAYS)))


def manifest_recipe(manifest: Manifest) -> Recipe:
    """The recipe of a manifest, its quantiles resolved.

    Raises
    ------
    ManifestError
        If a selector has another version here.
    """
    for step in manifest.steps:
        here = SELECTORS[step.select].version if step.select in SELECTORS else None
        _check_version("selector", step.select, here, step.version)
    steps = tuple(parse_step({"select": s.select, **s.params}, i) for i, s in enumerate(manifest.steps))
    return Recipe(steps, manifest.seed, manifest.score_params)


def load_plan(
    folder: Path | str, *, embedder: str | None = None, lm: str | None = None, ngram: str | None = None
) -> Plan:
    """Read a manifest folder, find its models, and hold all definitions against this workbench.

    Parameters
    ----------
    folder
        The manifest folder.
    embedder, lm, ngram
        Where the manifest's models lie, if not under the names that it gives.

    Raises
    ------
    ManifestError
        If the folder was changed, or a score or selector has another version here.
    ModelError
        If a model isn't found, or one of its files differs from the manifest's digest.
    """
    manifest = read_manifest(folder)
    for entry in manifest.scores:
        _check_version(
            "score", entry.name, SCORES[entry.name].version if entry.name in SCORES else None, entry.version
        )
    steps = manifest_recipe(manifest).steps
    models = Models.from_definitions(
        {str(role): definition for role, definition in manifest.models.items()},
        embedder=embedder,
        lm=lm,
        ngram=ngram,
    )
    passes = tuple(plan_passes([entry.name for entry in manifest.scores], manifest.score_params))
    states = {entry.name: read_artefact(folder, entry.artefact) for entry in manifest.scores}
    _check_definitions(manifest, passes, states, models)
    return Plan(
        manifest=manifest,
        steps=steps,
        states=tuple(read_artefact(folder, entry.artefact) for entry in manifest.steps),
        passes=passes,
        pass_states={p.first.name: states[p.first.name] for p in passes},
        models=models,
    )


def _check_version(kind: str, name: str, here: int | None, there: int) -> None:
    if here != there:
        found = "doesn't have it" if here is None else f"has version {here}"
        raise ManifestError(
            f"the manifest uses version {there} of {kind} {name}, this workbench {found}; "
            "install the selection-workbench named under created_with, or export the manifest again"
        )


def _check_definitions(
    manifest: Manifest, passes: tuple[Pass, ...], states: Mapping[str, Mapping[str, Array]], models: Models
) -> None:
    """Hold params, dtype and artefact of every score to what would be computed here."""
    entries = {entry.name: entry for entry in manifest.scores}
    for p in passes:
        for spec in p.specs:
            entry: ScoreEntry | None = entries.get(spec.name)
            if entry is None:
                raise ManifestError(f"the manifest lacks the score {spec.name}; export it again")
            state = states[spec.name]
            same = entry.params == params_json(p.params_of(spec)) and entry.dtype == spec.dtype
            same = same and set(entry.models) == set(p.model_needs) <= manifest.models.keys()
            if not same or entry.state != (state_digest(state) if state else None):
                raise ManifestError(
                    f"the manifest's definition of {spec.name} isn't this workbench's; export it again"
                )
