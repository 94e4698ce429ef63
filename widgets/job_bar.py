"""The bar under the bench's head while something long is computed: what, how far, how long still, and Stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from widgets.view import Report, View, script, style


class JobBar(View):
    """The bar, on every tab; nothing while there is no job.

    Parameters
    ----------
    stop
        Asks the running job to stop.

    Attributes
    ----------
    is_busy
        Whether there is a job.
    """

    _esm = script("job_bar")
    _css = style("job_bar")
    is_busy = traitlets.Bool(False)

    def __init__(self, report: Report, stop: Callable[[], None]) -> None:
        super().__init__({"stop": lambda content: stop()}, report)

    def show_progress(self, progress: Mapping[str, Any] | None) -> None:
        """Show how far a job is, None for no job."""
        self.show(progress or {})
        self.is_busy = progress is not None
