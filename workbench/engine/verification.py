"""What was checked of a run, a sentence a check."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Verification:
    """What was checked.

    Attributes
    ----------
    passed, failed, warnings
        One sentence a check; the run holds if `failed` is empty.
    """

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    def check(self, passes: bool, what: str, otherwise: str) -> bool:
        """Note one check; return whether it passes."""
        (self.passed if passes else self.failed).append(what if passes else otherwise)
        return passes
