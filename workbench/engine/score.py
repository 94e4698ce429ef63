"""Scoring a sample: passes over parts, each part kept as soon as it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, canonical_json
from workbench.corpus import Corpus, Sample
from workbench.engine.cost import measured
from workbench.engine.passes import Pass, params_json, plan_passes, reads_embedding
from workbench.engine.table import Table, target_table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.models.runtime import device_name, tokenizer_device_name
from workbench.models.token_cache import TokenCache
from workbench.progress import Progress, Share, Silent, shown
from workbench.scores.base import Inputs, State
from workbench.store import ColumnKey, ColumnWriter, Store


def state_digest(state: Mapping[str, Array]) -> str:
    """SHA-256 (hex) of named arrays: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        digest.update(canonical_json([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def score(
    sample: Sample,
    names: Iterable[str],
    *,
    store: Store | Path | str,
    models: Models | None = None,
    params: Mapping[str, Mapping[str, object]] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    target: Sample | Corpus | Path | str | None = None,
) -> Table:
    """Compute scores of a sample, taking from the store what is there.

    Stopped at any moment, the next call goes on from the last finished part and ends with the same bytes.

    Parameters
    ----------
    sample
        The documents.
    names
        Scores to compute; what they read is computed too.
    store
        The folder that keeps the columns.
    models
        The models to score with; the defaults if None.
    params
        Settings of scores by name, where they differ from the defaults.
    seed
        For what is fitted on the sample.
    progress
        Shown progress; its `advance` may raise `Cancelled`.
    target
        The texts that some scores compare with: a sample, a corpus, or the path of a file of texts. Its sources are
        tasks where a method tells tasks apart.

    Raises
    ------
    InputError
        If a score or a param isn't known, or a score compares with a target and none is given.
    StoreError
        If a column in the store was changed, or can't be written.
    ModelError
        If a model isn't found or differs from its digest.
    """
    models = models or Models()
    table = Table(sample, models, target=target_table(target, models))
    add_scores(table, names, store=store, params=params, seed=seed, progress=progress)
    return table


def add_scores(
    table: Table,
    names: Iterable[str],
    *,
    store: Store | Path | str,
    params: Mapping[str, Mapping[str, object]] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Add scores to a table; see `score`."""
    store = store if isinstance(store, Store) else Store(store)
    table.models.tokens.folder = store.root / "tokens"
    for pass_ in plan_passes(names, params):
        wanted = pass_.without(table.scores)
        if wanted is not None:
            if wanted.reads_target:
                _score_target(table, wanted, store, params, seed, progress or Silent())
            _run_pass(table, wanted, store, seed, progress or Silent())


def _score_target(
    table: Table,
    pass_: Pass,
    store: Store,
    params: Mapping[str, Mapping[str, object]] | None,
    seed: int,
    progress: Progress,
) -> None:
    """Compute of the target what the pass reads of the sample, with what was fitted on the sample."""
    if table.target is None:
        raise InputError(
            f"{pass_.first.name} compares documents with target texts and none were given; name a file of them with "
            "--target"
        )
    for need in plan_passes(pass_.score_needs, params):
        wanted = need.without(table.target.scores)
        if wanted is not None:
            state = table.states.get(wanted.first.name, {})
            try:
                _run_pass(table.target, wanted, store, seed, progress, state)
            except InputError as error:
                raise InputError(f"of the target: {error}") from None


def define(pass_: Pass, table: Table, state: State) -> dict[str, dict[str, Any]]:
    """What defines each column of a pass: enough to compute the same numbers elsewhere."""
    shared = {
        "models": {kind: dict(table.models.definition(kind)) for kind in pass_.model_needs},
        "needs": {name: ColumnKey(name, table.definitions[name]).digest for name in pass_.score_needs},
        "state": state_digest(state) if state else None,
    }
    return {
        spec.name: {
            "version": spec.version,
            "dtype": spec.dtype,
            "params": params_json(pass_.params_of(spec)),
            **shared,
        }
        for spec in pass_.specs
    }


def column_keys(
    table: Table, pass_: Pass, definitions: Mapping[str, Mapping[str, Any]], seed: int
) -> dict[str, ColumnKey]:
    """Where the store keeps the columns of a pass, by score."""
    where = {"input": _fingerprint(table, pass_)}
    if pass_.first.scope == "sample":
        where["seed"] = str(seed)
    return {name: ColumnKey(name, {**definition, **where}) for name, definition in definitions.items()}


def state_key(table: Table, pass_: Pass, seed: int) -> ColumnKey:
    """Where the store keeps what a pass fitted."""
    needs = {name: ColumnKey(name, table.definitions[name]).digest for name in pass_.score_needs}
    models = {kind: dict(table.models.definition(kind)) for kind in pass_.model_needs}
    spec = pass_.first
    what = {"version": spec.version, "params": params_json(pass_.params), "needs": needs, "models": models}
    if pass_.reads_target and table.target is not None:
        what["target"] = _fingerprint(table.target, pass_)
    return ColumnKey(spec.name, {**what, "seed": seed, "input": _fingerprint(table, pass_)})


def _run_pass(
    table: Table,
    pass_: Pass,
    store: Store,
    seed: int,
    progress: Progress,
    fitted: State | None = None,
) -> None:
    state = _fitted(table, pass_, store, seed, progress) if fitted is None else fitted
    definitions = define(pass_, table, state)
    keys = column_keys(table, pass_, definitions, seed)
    missing = pass_.without({name for name, key in keys.items() if store.is_complete(key)})
    if missing is not None:
        writers = {
            spec.name: store.writer(keys[spec.name], len(table), missing.stored(spec), ragged=spec.ragged)
            for spec in missing.specs
        }
        if pass_.first.scope == "sample":
            _write_whole(table, missing, writers, state, seed, progress)
        else:
            _write_parts(table, missing, writers, state, progress, store)
        for spec in missing.specs:
            writers[spec.name].finish(spec.dtype)
    table.definitions.update(definitions)
    table.scores.update({name: store.read(key) for name, key in keys.items()})
    if state:
        table.states.update({spec.name: dict(state) for spec in pass_.specs})


def _fingerprint(table: Table, pass_: Pass) -> str:
    """Digest (hex) of what the pass reads of the sample: ids, sources and texts, and the vectors if it does."""
    fingerprint = table.sample.fingerprint
    if not reads_embedding(pass_.first.name) or table.vectors is None:
        return fingerprint
    return state_digest({fingerprint: table.vectors})


def _inputs(table: Table, pass_: Pass, rows: slice) -> Inputs:
    return Inputs(
        doc_ids=table.sample.doc_ids[rows],
        sources=table.sample.sources[rows],
        texts=table.sample.texts[rows],
        columns={name: table.scores[name][rows] for name in pass_.score_needs},
        models=table.models,
        vectors=table.vectors[rows]
        if "embedder" in pass_.model_needs and table.vectors is not None
        else None,
    )


def _fitted(table: Table, pass_: Pass, store: Store, seed: int, progress: Progress) -> State:
    if pass_.fit is None:
        return {}
    spec = pass_.first
    key = state_key(table, pass_, seed)
    state = store.read_state(key)
    if state is None:
        with shown(progress, f"fit {spec.name}", 1):
            inputs = _inputs(table, pass_, slice(None))
            if pass_.reads_target and table.target is not None:
                inputs = replace(inputs, target=_inputs(table.target, pass_, slice(None)))
            state = pass_.run_fit(inputs, seed)
            if state:
                store.write_state(key, state)
            progress.advance(1)
    return state


def _write_whole(
    table: Table,
    pass_: Pass,
    writers: Mapping[str, ColumnWriter],
    state: State,
    seed: int,
    progress: Progress,
) -> None:
    """A score that is defined on the whole sample can't be computed in parts, only written so."""
    with shown(progress, pass_.name, len(table)):
        columns = pass_.run(
            _inputs(table, pass_, slice(None)), {**state, "seed": np.asarray([seed], dtype=np.int64)}
        )
        for name, writer in writers.items():
            for part in range(writer.n_parts):
                writer.write_part(part, columns[name][writer.rows(part)])
        progress.advance(len(table))


def _write_parts(
    table: Table,
    pass_: Pass,
    writers: Mapping[str, ColumnWriter],
    state: State,
    progress: Progress,
    store: Store,
) -> None:
    layout = next(iter(writers.values()))
    for role in pass_.model_needs:
        getattr(table.models, role)  # loaded before the clock runs
    model, where = "", "cpu, 1 thread"
    if pass_.model_needs:
        model = str(table.models.definition(pass_.model_needs[-1])["id"])
        where = tokenizer_device_name() if pass_.model_needs == ("tokenizer",) else device_name()
    sizes = [len(text) for text in table.sample.texts]
    is_first, tokens = True, table.models.tokens
    with shown(progress, pass_.name, sum(sizes)):
        for part in range(layout.n_parts):
            rows = layout.rows(part)
            inner = Share(progress, sum(sizes[rows]))
            if not all(writer.has_part(part) for writer in writers.values()):
                inputs = _inputs(table, pass_, rows)
                table.models.progress = inner
                n_found = tokens.n_found
                counts = pass_.model_needs == ("tokenizer",) and pass_.fit is None
                # To count tokens that another score made takes no time, and says nothing of making them.
                with measured(
                    *(store.root, pass_.first.name, model, where, inputs.texts),
                    is_first=is_first,
                    unless=partial(_found_more, tokens, n_found) if counts else bool,
                ) as computed:
                    computed.update(pass_.run(inputs, state))
                is_first = False
                for name, values in computed.items():
                    writers[name].write_part(part, values)
            inner.complete()


def _found_more(tokens: TokenCache, n_found: int) -> bool:
    return tokens.n_found > n_found
