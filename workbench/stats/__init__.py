"""From a sample to its corpus, with intervals."""

from workbench.stats.intervals import Known, Totals, kept_totals
from workbench.stats.share import Estimate

__all__ = ["Estimate", "Known", "Totals", "kept_totals"]
