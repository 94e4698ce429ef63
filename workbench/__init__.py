"""A workbench for choosing LLM training data: sample, score, select, export a manifest, apply and verify it.

Importing it is cheap: everything is loaded on first use, and torch, Jupyter or ray only by what needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.corpus import Corpus as Corpus
    from workbench.corpus import Sample as Sample
    from workbench.corpus import read as read
    from workbench.corpus import read_sample as read_sample
    from workbench.embedded import sample_corpus as sample_corpus
    from workbench.embedded import sample_store as sample_store
    from workbench.engine.apply import apply as apply
    from workbench.engine.export import export as export
    from workbench.engine.score import add_scores as add_scores
    from workbench.engine.score import score as score
    from workbench.engine.select import Outcome as Outcome
    from workbench.engine.select import select as select
    from workbench.engine.several import score_with_models as score_with_models
    from workbench.engine.table import Table as Table
    from workbench.engine.train import train_lm as train_lm
    from workbench.engine.verify import verify as verify
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.models.load import Models as Models
    from workbench.models.training.params import TrainLMParams as TrainLMParams
    from workbench.recipe.model import Recipe as Recipe
    from workbench.recipe.schema import parse_recipe as parse_recipe
    from workbench.report import write_report as write_report
    from workbench.stats.agreement import rank_agreement as rank_agreement

_HOME = {
    "Corpus": "workbench.corpus",
    "Models": "workbench.models.load",
    "Outcome": "workbench.engine.select",
    "Recipe": "workbench.recipe.model",
    "Sample": "workbench.corpus",
    "Table": "workbench.engine.table",
    "TrainLMParams": "workbench.models.training.params",
    "WorkbenchError": "workbench.errors",
    "add_scores": "workbench.engine.score",
    "apply": "workbench.engine.apply",
    "export": "workbench.engine.export",
    "parse_recipe": "workbench.recipe.schema",
    "rank_agreement": "workbench.stats.agreement",
    "read": "workbench.corpus",
    "read_sample": "workbench.corpus",
    "sample_corpus": "workbench.embedded",
    "sample_store": "workbench.embedded",
    "score": "workbench.engine.score",
    "score_with_models": "workbench.engine.several",
    "select": "workbench.engine.select",
    "train_lm": "workbench.engine.train",
    "verify": "workbench.engine.verify",
    "write_report": "workbench.report",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
