"""Taking scores of a sample from the store without computing any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from workbench.engine.passes import Pass, plan_passes
from workbench.engine.score import column_keys, define, state_key
from workbench.engine.table import Table
from workbench.errors import ModelError
from workbench.store import Store


def add_stored(
    table: Table,
    names: Iterable[str],
    *,
    store: Store | Path | str,
    params: Mapping[str, Mapping[str, object]] | None = None,
    seed: int = 0,
) -> tuple[str, ...]:
    """Add to a table those scores that the store has, and tell which of `names` it lacks.

    Parameters
    ----------
    table
        The documents; gets the columns, their definitions and what was fitted.
    names
        Scores wanted.
    store, params, seed
        As in `workbench.engine.score.add_scores`, which would take the same columns from the store.

    Returns
    -------
    tuple of str
        The names that must be computed, in the order given: not in the store under this sample, these settings and
        these models, or of a model that isn't here, or compared with target texts that the table lacks.

    Raises
    ------
    InputError
        If a score or a param isn't known.
    StoreError
        If a column in the store was changed.
    """
    store = store if isinstance(store, Store) else Store(store)
    wanted = tuple(names)
    for pass_ in plan_passes(wanted, params):
        rest = pass_.without(table.scores)
        if rest is not None and all(need in table.scores for need in rest.score_needs):
            _take(table, rest, store, seed)
    return tuple(name for name in wanted if name not in table.scores)


def _take(table: Table, pass_: Pass, store: Store, seed: int) -> None:
    if pass_.reads_target and table.target is None:
        return
    try:
        # A fit that finds nothing to keep leaves no state, and its columns are named so.
        state = (pass_.fit is not None and store.read_state(state_key(table, pass_, seed))) or {}
        definitions = define(pass_, table, state)
    except ModelError:
        # A model that isn't on this machine: its scores are missing, and computing them will say why.
        return
    keys = column_keys(table, pass_, definitions, seed)
    found = {name: key for name, key in keys.items() if store.is_complete(key)}
    table.definitions.update({name: definitions[name] for name in found})
    table.scores.update({name: store.read(key) for name, key in found.items()})
    if state:
        table.states.update({name: dict(state) for name in found})
