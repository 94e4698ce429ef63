from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ModelError
from workbench.models.lm.packing import pack_rows
from workbench.models.lm.windows import plan_windows

LENGTHS = st.lists(st.integers(0, 70), max_size=12)


@st.composite
def sizes(draw):
    window = draw(st.integers(2, 20))
    return window, draw(st.integers(1, window))


@given(LENGTHS, sizes(), st.booleans())
def test_every_token_is_predicted_exactly_once_from_no_more_than_a_window(lengths, size, context):
    window, stride = size
    plan = plan_windows(np.array(lengths, dtype=np.int64), window, stride, context=context)
    seen = [[] for _ in lengths]
    for document, first, end, scored in zip(plan.document, plan.first, plan.end, plan.scored, strict=True):
        assert 0 <= first <= scored < end <= lengths[document]
        assert end - first - (not context) <= window
        if first:
            assert end - scored <= stride
            # As much context as fits.
            assert end - first - (not context) == window
        seen[document] += range(scored, end)
    assert seen == [list(range(0 if context else 1, n)) for n in lengths]


@given(LENGTHS)
def test_with_stride_1_every_token_has_all_the_context_that_fits(lengths):
    plan = plan_windows(np.array(lengths, dtype=np.int64), 9, 1, context=True)
    for first, end, scored in zip(plan.first, plan.end, plan.scored, strict=True):
        assert first == 0 or (end - scored == 1 and end - first == 9)


@pytest.mark.parametrize(("window", "stride", "sentence"), [
    (1, 1, "window must be at least 2 tokens, got 1"),
    (4, 5, r"stride must lie in 1\.\.4 \(the window\), got 5"),
    (4, 0, r"stride must lie in 1\.\.4 \(the window\), got 0"),
])  # fmt: skip
def test_sizes_out_of_range_are_refused(window, stride, sentence):
    with pytest.raises(ModelError, match=sentence):
        plan_windows(np.array([3]), window, stride, context=True)


@given(st.lists(st.integers(1, 23), max_size=60))
def test_packing_places_every_window_once_and_fills_rows(lengths):
    rows = list(pack_rows(np.array(lengths, dtype=np.int64), 23))
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    filled = [sum(lengths[i] for i in row) for row in rows]
    assert all(total <= 23 for total in filled)
    # No two rows would fit into one.
    assert all(a + b > 23 for i, a in enumerate(filled) for b in filled[:i])
