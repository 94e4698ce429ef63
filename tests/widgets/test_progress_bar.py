from __future__ import annotations

import pytest

from widgets import ProgressBar
from workbench.errors import Cancelled
from workbench.progress import shown


def test_the_bar_says_what_is_done_and_how_far() -> None:
    bar = ProgressBar()
    what, progress, note = bar.children
    with shown(bar.progress, "perplexity", 200):
        assert what.value == "perplexity"
        assert progress.value == 0
        bar.progress._shown_at = float("-inf")
        bar.progress.advance(50)
        assert progress.value == 0.25
        assert note.value == "estimating …"
    bar.done()
    assert (progress.value, note.value) == (1.0, "done")


def test_it_can_be_stopped() -> None:
    bar = ProgressBar()
    bar.progress.stop()
    with pytest.raises(Cancelled, match="stopped; what was finished is kept"):
        bar.progress.start("perplexity", 10)
