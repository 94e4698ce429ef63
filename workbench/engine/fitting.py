"""What a step is fitted to on a sample, and what its scan found: kept by what it depends on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict

import numpy as np

from workbench.checks import Array, BoolArray, IntArray, hash_bytes, json_digest, require_keys
from workbench.engine.passes import finite_rows
from workbench.engine.table import Table
from workbench.recipe.model import Step
from workbench.selectors.base import DESIGN_WEIGHT, Columns

Scan = Callable[[Columns], Columns]

_SCANS = 16  # a few steps with a few settings each; 16 bytes a document and scan


class FitCache:
    """Fitted artefacts and scans by what they depend on, so that moving a slider refits and rescans nothing."""

    def __init__(self) -> None:
        self._states: dict[str, Mapping[str, Array]] = {}
        self._scans: OrderedDict[tuple[str, bytes], Columns] = OrderedDict()

    def adopt(self, other: FitCache) -> None:
        """Take over what another one knows."""
        self._states.update(other._states)
        self._scans.update(other._scans)
        while len(self._scans) > _SCANS:
            self._scans.popitem(last=False)

    def knows(self, table: Table, step: Step, seed: int, alive: IntArray) -> bool:
        """Whether the step's artefact and its scan of the rows `alive` are there already, so that asking is quick."""
        spec = step.spec
        is_fitted = spec.fit is None or spec.state_of is not None
        if not is_fitted and self._key(table, step, seed, spec.fit_params) not in self._states:
            return False
        return spec.scan is None or self._scan_key(table, step, seed, alive) in self._scans

    def state(self, table: Table, step: Step, seed: int) -> Mapping[str, Array]:
        """The step's artefact, fitted on the whole table on first use, and what is solved there each time."""
        spec = step.spec
        fitted = self._fitted(table, step, seed)
        if spec.solve is None:
            return fitted
        columns = table.columns(step.needs)
        rows = complete(step, columns)
        read = columns if rows.all() else {n: column[rows] for n, column in columns.items()}
        scan = self.scan(table, step, fitted, seed, np.arange(len(table)))
        return {**fitted, **spec.solve(read, lambda: scan(read), step.params, fitted, seed)}

    def _fitted(self, table: Table, step: Step, seed: int) -> Mapping[str, Array]:
        spec = step.spec
        if spec.state_of is not None:
            require_keys(f"the fit of {step.select}", table.states, [spec.state_of])
            return table.states[spec.state_of]
        if spec.fit is None:
            return {}
        key = self._key(table, step, seed, spec.fit_params)
        if key not in self._states:
            columns = table.columns(step.needs)
            rows = complete(step, columns)
            self._states[key] = spec.fit(
                {n: column[rows] for n, column in columns.items()}, step.params, seed
            )
        return self._states[key]

    def scan(self, table: Table, step: Step, state: Mapping[str, Array], seed: int, alive: IntArray) -> Scan:
        """The step's scan of the rows `alive`, made on first use."""
        spec = step.spec
        key = self._scan_key(table, step, seed, alive)

        def scan(columns: Columns) -> Columns:
            assert spec.scan is not None
            if key not in self._scans:
                self._scans[key] = spec.scan(columns, step.params, state, seed)
                if len(self._scans) > _SCANS:
                    self._scans.popitem(last=False)
            self._scans.move_to_end(key)
            return self._scans[key]

        return scan

    def _scan_key(self, table: Table, step: Step, seed: int, alive: IntArray) -> tuple[str, bytes]:
        spec = step.spec
        return self._key(table, step, seed, (*spec.fit_params, *spec.scan_params)), hash_bytes(alive)

    def _key(self, table: Table, step: Step, seed: int, params: Iterable[str]) -> str:
        read: dict[str, object] = {name: table.definitions.get(name) for name in step.needs}
        if DESIGN_WEIGHT in read:
            read[DESIGN_WEIGHT] = table.sample.design.to_json()
        given = {name: asdict(step.params)[name] for name in params}
        return json_digest([step.select, step.spec.version, seed, given, table.sample.fingerprint, read])


def missing(step: Step, columns: Mapping[str, Array]) -> dict[str, BoolArray]:
    """By column, which documents lack it, bool (n,); none of a step that says itself what becomes of them."""
    found = {}
    for name, column in columns.items():
        if not step.spec.reads_missing and np.issubdtype(column.dtype, np.floating):
            lacks = ~finite_rows(column) if column.ndim > 1 else np.isnan(column)
            if lacks.any():
                found[name] = lacks
    return found


def complete(step: Step, columns: Mapping[str, Array]) -> BoolArray:
    """Which documents lack nothing that the step reads, bool (n,)."""
    found: BoolArray = np.ones(len(columns["doc_id"]), dtype=np.bool_)
    for lacks in missing(step, columns).values():
        found &= ~lacks
    return found
