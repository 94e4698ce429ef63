"""From a sample to its corpus, with intervals."""

from workbench.stats.intervals import Estimate, Totals, kept_totals

__all__ = ["Estimate", "Totals", "kept_totals"]
