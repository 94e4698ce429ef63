"""Processes that coverage doesn't trace: what they use of time and memory is then what a user's would."""

from __future__ import annotations

import os


def untraced() -> dict[str, str]:
    """The environment without coverage's hook, which would be measured too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
