"""How a column is named: by its score's name and a digest of everything that defines its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from workbench.checks import json_digest


@dataclass(frozen=True)
class ColumnKey:
    """The key of one column.

    Attributes
    ----------
    name
        The score's name.
    definition
        JSON-able: version, params, model digests, the definitions of the scores it reads, the digest of its
        fitted artefact, and the fingerprint of the sample. Falsy values count like any other.
    """

    name: str
    definition: Mapping[str, object]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of name and definition."""
        return json_digest({"name": self.name, "definition": self.definition})

    @property
    def folder(self) -> str:
        """The column's folder in the store."""
        return f"{self.name}-{self.digest[:16]}"
