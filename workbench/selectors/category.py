"""Keep the documents whose categorical score (language) is one of the given values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class CategoryParams:
    """Parameters of `select_category`.

    Attributes
    ----------
    score
        A categorical score.
    values
        The labels to keep, at least one.
    """

    score: str
    values: tuple[str, ...]


def select_category(columns: Columns, params: CategoryParams, state: State, seed: int) -> Selection:
    """Keep documents whose label is in `params.values`; the column holds labels, str (n,).

    Raises
    ------
    InputError
        If no value is given.
    """
    if not params.values:
        raise InputError(
            f"category of {params.score} needs at least one value to keep; name one, or drop the step"
        )
    labels = columns[params.score]
    keep = np.isin(labels, strings(params.values))
    return Selection(keep, lambda i: f"{params.score} is {labels[i]}, not {' or '.join(params.values)}")


SPEC = SelectorSpec(
    name="category",
    version=1,
    title="Keep documents of the named categories",
    scope="row",
    params=CategoryParams,
    needs=lambda params: (params.score,),
    reads=("category",),
    select=select_category,
    help={"score": "name of a categorical score, such as language", "values": "the categories to keep"},
)
