"""What a param may be, in words."""

from __future__ import annotations

import re
from typing import Any, get_type_hints

import pytest

from workbench.recipe.words import allowed
from workbench.scores import SCORES
from workbench.selectors import SELECTORS

PARAMS = [
    pytest.param(hint, id=f"{name}.{param}")
    for registry in (SELECTORS, SCORES)
    for name, spec in registry.items()
    for param, hint in get_type_hints(spec.params).items()
]


@pytest.mark.parametrize("hint", [*{str(given.values[0]): given for given in PARAMS}.values()])
def test_every_param_has_words_and_none_is_a_types_name(hint: Any) -> None:
    told = allowed(hint)
    assert told.startswith(("a ", "one of ", "true or false"))
    plain = re.sub(r'"[^"]*"', "", told)  # without the values of a choice
    assert not any(word in plain for word in ("int", "str", "float", "tuple", "bool", "None", "typing"))
