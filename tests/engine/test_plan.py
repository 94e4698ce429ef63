from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.engine.fakes import FakeModels
from workbench.engine.plan import load_plan
from workbench.errors import ManifestError, ModelError
from workbench.recipe.manifest import manifest_digest
from workbench.scores import SCORES
from workbench.selectors import SELECTORS

Change = Callable[[dict[str, Any]], None]


def rewritten(manifest: Path, change: Change) -> Path:
    """The manifest with a change that its digest allows: what another version may have written."""
    path = manifest / "manifest.json"
    content = orjson.loads(path.read_bytes())
    change(content)
    content["digest"] = manifest_digest(content)
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    path.write_bytes(orjson.dumps(content, option=options))
    return manifest


def entry(content: dict[str, Any], name: str) -> Any:
    return next(e for e in content["scores"] if e["name"] == name)


def test_a_plan_has_passes_states_and_the_first_step_that_sees_groups(
    manifest: Path, fakes: type[FakeModels]
) -> None:
    plan = load_plan(manifest)
    assert plan.first_group == 3
    assert plan.seed == 3
    assert plan.later_needs == ("text_digest", "compression_ratio", "embedding", "perplexity")
    assert plan.written_scores == ("n_tokens", "language", "compression_ratio", "perplexity", "n_bytes")
    assert [bool(state) for state in plan.states] == [False] * 5 + [True, False]


@pytest.mark.parametrize("version", [0, 2])
def test_a_score_of_another_version_is_refused(
    version: int, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCORES, "perplexity", replace(SCORES["perplexity"], version=version))
    with pytest.raises(
        ManifestError,
        match=f"uses version 1 of score perplexity, this workbench has version {version}; install",
    ):
        load_plan(manifest)


@contextmanager
def without(registry: dict[str, Any], name: str) -> Iterator[None]:
    """Take an entry out of a registry, and put it back where it stood: schemas list the entries in order."""
    entries = dict(registry)
    del registry[name]
    try:
        yield
    finally:
        registry.clear()
        registry.update(entries)


def test_a_score_that_is_gone_is_refused(manifest: Path) -> None:
    with (
        without(SCORES, "compression_ratio"),
        pytest.raises(ManifestError, match="score compression_ratio, this workbench doesn't have it"),
    ):
        load_plan(manifest)


def test_a_selector_of_another_version_or_gone_is_refused(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(SELECTORS, "exact", replace(SELECTORS["exact"], version=9))
        with pytest.raises(ManifestError, match="version 1 of selector exact, this workbench has version 9"):
            load_plan(manifest)
    with (
        without(SELECTORS, "exact"),
        pytest.raises(ManifestError, match="selector exact, this workbench doesn't have it"),
    ):
        load_plan(manifest)


def test_params_that_mean_other_numbers_here_are_refused(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class Other:
        max_chars: int | None = 5

    for name in ("language", "language_score"):
        monkeypatch.setitem(SCORES, name, replace(SCORES[name], params=Other))
    with pytest.raises(ManifestError, match="definition of language isn't this workbench's; export it again"):
        load_plan(manifest)


def _drop_score(content: dict[str, Any]) -> None:
    content["scores"].remove(entry(content, "n_chars"))


def _drop_models(content: dict[str, Any]) -> None:
    del content["models"]["lm"]


def _other_state(content: dict[str, Any]) -> None:
    entry(content, "n_tokens")["state"] = "0" * 64


def _other_dtype(content: dict[str, Any]) -> None:
    entry(content, "n_tokens")["dtype"] = "float64"


def _sample_score(content: dict[str, Any]) -> None:
    content["scores"].append({**entry(content, "n_chars"), "name": "nothing_known"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop_score, "the manifest lacks the score n_chars; export it again"),
        (_drop_models, "definition of perplexity isn't this workbench's"),
        (_other_state, "definition of n_tokens isn't this workbench's"),
        (_other_dtype, "definition of n_tokens isn't this workbench's"),
        (_sample_score, "score nothing_known, this workbench doesn't have it"),
    ],
)
def test_a_manifest_that_lacks_something_or_says_other_things_is_refused(
    change: Change, sentence: str, manifest: Path
) -> None:
    with pytest.raises(ManifestError, match=sentence):
        load_plan(rewritten(manifest, change))


def test_a_changed_or_missing_artefact_is_refused_by_name(manifest: Path) -> None:
    (artefact,) = manifest.glob("*.safetensors")
    data = artefact.read_bytes()
    artefact.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ManifestError, match=r"step_05_semdedup.safetensors was changed: its SHA-256 is"):
        load_plan(manifest)
    artefact.unlink()
    with pytest.raises(
        ManifestError, match=r"step_05_semdedup.safetensors is missing; copy the manifest folder"
    ):
        load_plan(manifest)


def test_models_that_differ_are_refused(
    manifest: Path, fakes: type[FakeModels], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {**fakes.definitions, "lm": {"id": "other", "files": {"weights": "1" * 64}}}
    monkeypatch.setattr(fakes, "definitions", changed)
    with pytest.raises(ModelError, match="weights of model 'lm' differ"):
        load_plan(manifest)


@pytest.fixture(autouse=True)
def _always_fake(fakes: type[FakeModels]) -> None:
    """Every test here looks models up."""
