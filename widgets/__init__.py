"""The Jupyter widgets of the workbench."""

from widgets.bench import Bench

__all__ = ["Bench"]
