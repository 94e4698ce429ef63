"""The report of a selection: one HTML file to read, print and pass on."""

from __future__ import annotations

from workbench.report.steps import describe as describe
from workbench.report.whole import write_report as write_report
