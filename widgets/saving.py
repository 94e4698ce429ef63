"""Keeping the bench's work in a file as one goes, and opening such files. No widget: `saved.py` is the form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from widgets import paths
from widgets.draft import read_drafts
from widgets.jobs import Jobs
from widgets.load import Draw
from widgets.progress import NotebookProgress
from widgets.sampling import Sampling
from widgets.state import BenchState, Change
from widgets.work import MAX_LASSO, Work
from widgets.work_files import Stamp, check_name, read_work, score_settings, stamp
from workbench.engine.stored import add_stored
from workbench.engine.table import Table
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.files import written_aside
from workbench.store import Store

_PAUSE_S = 1.0


class Head(Protocol):
    """What saving needs of the bench's head."""

    active: str
    tabs: tuple[str, ...]

    def activate(self, name: str) -> None:
        """Show a tab."""
        ...

    def say(self, sentence: str) -> None:
        """Show good news."""
        ...

    def complain(self, sentence: str) -> None:
        """Show what went wrong."""
        ...


@dataclass(frozen=True)
class _Opened:
    """A file's work, its draw as it is allowed, and what could be had: no table where nothing was loaded or `fault`
    says why.
    """

    path: Path
    stamp: Stamp | None
    work: Work
    draw: Draw
    table: Table | None = None
    missing: tuple[str, ...] = ()
    fault: str = ""


class Saving:
    """Saves as one goes, once a file is named, and opens.

    It writes on the kernel's own thread, at most once a second, aside and then renamed.

    Parameters
    ----------
    sampling, state, store, jobs, head
        Of the bench.
    changed
        Called when `path`, `notes` or `missing` have changed.

    Attributes
    ----------
    path
        The file that is written; None while there is none.
    notes
        What of the opened file couldn't be restored, a sentence each.
    """

    def __init__(
        self,
        sampling: Sampling,
        state: BenchState,
        store: Store,
        jobs: Jobs,
        head: Head,
        changed: Callable[[], None],
    ) -> None:
        self.path: Path | None = None
        self.notes: list[str] = []
        self._sampling = sampling
        self._state = state
        self._store = store
        self._jobs = jobs
        self._head = head
        self._changed = changed
        self._stamp: Stamp | None = None
        self._written = b""
        self._lacking: Mapping[str, Mapping[str, Any]] = {}
        self._is_opening = False
        self._is_due = False
        state.listen(self._told)

    @property
    def missing(self) -> dict[str, Mapping[str, Any]]:
        """The scores that the opened file had and the store lacks, with their settings."""
        table = self._state.table
        done = table.scores if table is not None else {}
        return {name: settings for name, settings in self._lacking.items() if name not in done}

    # ---- saving --------------------------------------------------------------------------------------------

    def collect(self) -> Work:
        """The work as it stands."""
        state, table = self._state, self._state.table
        sample = table.sample if table is not None else None
        lasso = state.selection if len(state.selection) <= MAX_LASSO else state.selection[:0]
        return Work(
            draw=self._sampling.drawn,
            fingerprint=None if sample is None else sample.design.corpus_fingerprint,
            n_documents=0 if sample is None else len(sample),
            scores=({} if table is None else score_settings(table)) | self.missing,
            tab=self._head.active,
            lasso=() if sample is None else tuple(sample.doc_ids[row] for row in lasso),
            parts={name: part.to_json() for name, part in state.saved_parts.items()},
        )

    def save_to(self, path: Path) -> None:
        """Write the work to a file, and from now on after each change.

        Raises
        ------
        InputError
            If the name doesn't end in .json, or the file is there and isn't saved work: nothing else is written over.
        StoreError
            If it can't be written.
        """
        check_name(path)
        if path.exists():
            read_work(path)
        before = self.path, self._stamp
        self.path, self._stamp, self._written = path, None, b""
        try:
            self._write()
        except WorkbenchError:
            self.path, self._stamp = before
            raise

    def _told(self, change: Change) -> None:
        if change == "table" and self._lacking:
            self._changed()
        self.touch()

    def touch(self) -> None:
        """Something changed: write it, a little later where there is an event loop."""
        if self.path is None or self._is_opening or self._is_due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._save()
            return
        self._is_due = True
        loop.call_later(_PAUSE_S, self._save)

    def _save(self) -> None:
        self._is_due = False
        try:
            self._write()
        except WorkbenchError as error:
            self._head.complain(str(error))

    def _write(self) -> None:
        path = self.path
        if path is None:
            return
        content = self.collect().to_bytes()
        if content == self._written:
            return
        now = stamp(path)
        if self._stamp is not None and now is not None and now != self._stamp:
            self.path = None
            self._changed()
            raise InputError(
                f"{path.name} was changed by another bench, so this work is no longer saved there; save it under "
                "another name, or open the file"
            )
        with written_aside(path) as aside:
            aside.write_bytes(content)
        self._written, self._stamp = content, stamp(path)
        self._changed()

    # ---- opening -------------------------------------------------------------------------------------------

    def begin(self, given: Path | str | None, root: Path | None) -> None:
        """Open what the notebook gave or a voila page's address names; a file that isn't there yet is begun.

        Raises
        ------
        WorkbenchError
            If the notebook's own file can't be opened. What is wrong with an address, its visitor is told.
        """
        if given is not None:
            path = Path(given)
            (self.open_now if path.exists() else self.save_to)(path)
            return
        linked = paths.linked_work()
        if linked is not None:
            try:
                self.open(Path(paths.allowed(linked, root)))
            except WorkbenchError as error:
                self._head.complain(str(error))

    def open_now(self, path: Path) -> None:
        """Open a file here and now, for a notebook's cell.

        Raises
        ------
        WorkbenchError
            If it can't be read, isn't saved work, or names a path that isn't allowed; then all stays as it was.
        """
        begun = self._begin(path)
        self._restore(self._jobs.run(lambda progress: self._redraw(begun, progress)))

    def open(self, path: Path) -> None:
        """Open a file, drawing its sample in a thread; see `open_now`."""
        begun = self._begin(path)
        self._jobs.start(lambda progress: self._redraw(begun, progress), self._restore, lambda: None)

    def _begin(self, path: Path) -> _Opened:
        check_name(path)
        before = stamp(path)
        work = read_work(path)
        unknown = [name for name in work.parts if name not in self._state.saved_parts]
        if unknown:
            raise InputError(
                f"{path.name} holds {unknown[0][:40]!r}, which this bench doesn't know; open it with the workbench "
                "that saved it"
            )
        read_drafts(work.parts["drafts"])
        if work.tab not in self._head.tabs:
            raise InputError(f"there is no tab {work.tab[:40]!r}; open another file")
        return _Opened(path, before, work, self._sampling.allowed(work.draw))

    def _redraw(self, begun: _Opened, progress: NotebookProgress) -> _Opened:
        work = begun.work
        if work.fingerprint is None:
            return begun
        try:
            table = self._sampling.table(self._sampling.draw(begun.draw, progress))
            missing = add_stored(table, work.scores, store=self._store, params=work.scores)
        except Cancelled:
            raise
        except WorkbenchError as error:
            return replace(begun, fault=f"the documents can't be loaded again: {error}")
        return replace(begun, table=table, missing=missing)

    def _restore(self, opened: _Opened) -> None:
        work, table = opened.work, opened.table
        self.path, self._lacking, self.notes = None, {}, []
        self._is_opening = True
        try:
            if table is not None:
                self._sampling.take(table, work.draw)
            self.notes += self._restore_parts(work)
            self._head.activate(work.tab)
        finally:
            self._is_opening = False
        if opened.fault:
            self.notes.append(opened.fault)
        elif table is not None and table.sample.design.corpus_fingerprint != work.fingerprint:
            self.notes.append(
                f"the corpus has changed since: {work.n_documents:,} documents were drawn then, {len(table):,} now, "
                "and the numbers may differ"
            )
        if self.notes:
            self.notes.append(f"{opened.path.name} itself is left as it is; save under another name to go on")
        else:
            self.path, self._stamp, self._written = opened.path, opened.stamp, b""
        self._lacking = {name: work.scores[name] for name in opened.missing}
        self._head.say(f"{opened.path.name} is open" + (", but not all of it" if self.notes else ""))
        self._changed()

    def _restore_parts(self, work: Work) -> list[str]:
        """Load every part and the lasso; what can't be restored, in sentences."""
        state, notes = self._state, []
        for name, part in state.saved_parts.items():
            if name in work.parts:
                try:
                    part.load_json(work.parts[name])
                except WorkbenchError as error:
                    notes.append(f"{name} can't be restored: {error}")
        if state.table is not None and work.lasso:
            rows = np.flatnonzero(np.isin(state.table.doc_id, np.asarray(work.lasso, dtype=str)))
            state.select_rows(rows)
            if len(rows) < len(set(work.lasso)):
                notes.append(
                    f"{len(set(work.lasso)) - len(rows):,} lassoed documents aren't in the sample any more"
                )
        return notes
