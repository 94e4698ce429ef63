"""The Load tab: draw a sample from a corpus, look at what was drawn, and compute scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import traitlets

from widgets import messages
from widgets.bins import family
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.corpus import Sample
from workbench.engine.table import Table
from workbench.plots.colors import category_colors
from workbench.scores import SCORES

MAX_PATH = 4096
MAX_DOCUMENTS = 10_000_000
MAX_SEED = 2**31 - 1
_REASONS = 20
_FIRST = ("n_tokens", "n_chars", "n_bytes", "compression_ratio", "language", "language_score", "perplexity")
_FAMILIES = ("Basics", "Language model", "Gopher", "FineWeb", "C4", "RedPajama", "Meaning")


@dataclass(frozen=True)
class Draw:
    """What the form asks for.

    Attributes
    ----------
    path
        None for the corpus that the bench was given.
    by_source
        Draw from each source apart.
    """

    path: str | None
    n: int = 2000
    by_source: bool = True
    seed: int = 0
    text_column: str = "text"
    id_column: str | None = None
    source_column: str | None = None


def is_default(score: str) -> bool:
    """Whether the form ticks a score at first: what is quick and every corpus wants."""
    return score in _FIRST or score.startswith(("gopher_", "fineweb_", "c4_"))


def score_families(computed: Table | None) -> list[dict[str, Any]]:
    """The scores for the form, by family."""
    done = computed.scores if computed is not None else {}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _FAMILIES}
    for name, spec in SCORES.items():
        row = {"name": name, "title": spec.title, "computed": name in done, "ticked": is_default(name)}
        rows[family(name)].append(row)
    return [{"family": name, "scores": scores} for name, scores in rows.items() if scores]


def sample_summary(sample: Sample) -> dict[str, Any]:
    """What was drawn, for the view: counts, rates, and rows that are no documents."""
    drawn, chars = Counter(sample.sources), Counter[str]()
    for source, text in zip(sample.sources, sample.texts, strict=True):
        chars[source] += len(text)
    strata = sample.design.strata
    return {
        "documents": len(sample),
        "chars": sum(chars.values()),
        "corpus": sum(stratum.n_corpus for stratum in strata.values()),
        "sources": [
            {
                "name": name,
                "documents": drawn[name],
                "corpus": s.n_corpus,
                "rate": s.rate,
                "chars": chars[name],
            }
            for name, s in sorted(strata.items())
        ],
        "quarantined": sample.design.n_quarantined,
        "reasons": quarantine_reasons(sample),
    }


def quarantine_reasons(sample: Sample) -> list[dict[str, Any]]:
    """Each reason for which rows were put aside, the most frequent first, with its first row."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in sample.quarantined:
        counts[row.reason] += 1
        first.setdefault(row.reason, f"{row.shard}, row {row.row}")
    return [{"reason": reason, "n": n, "first": first[reason]} for reason, n in counts.most_common(_REASONS)]


class Load(View):
    """The form.

    Parameters
    ----------
    bench
        The shared state.
    form
        What the form shows at first.
    given
        What corpus the bench was given, in words; None if the person names a path.
    draw, score
        What the buttons do.

    Attributes
    ----------
    is_busy
        Whether something is being computed, so that neither button can begin.
    """

    _esm = script("load")
    _css = style("load")
    is_busy = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        bench: BenchState,
        report: Report,
        *,
        form: Draw,
        given: str | None,
        draw: Callable[[Draw], None],
        score: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._bench = bench
        self._form = form
        self._given = given
        self._draw = draw
        self._score = score
        handlers = {"draw": self._ask_draw, "score": self._ask_score}
        super().__init__(handlers, report)
        bench.listen(lambda change: self.refresh() if change == "table" else None)
        self.refresh()

    def _ask_draw(self, content: Mapping[str, object]) -> None:
        source = messages.optional_text(content, "source_column")
        self._draw(
            Draw(
                path=None if self._given else messages.text(content, "path", at_most=MAX_PATH),
                n=messages.integer(content, "n", 1, MAX_DOCUMENTS),
                by_source=messages.flag(content, "by_source"),
                seed=messages.integer(content, "seed", 0, MAX_SEED),
                text_column=messages.optional_text(content, "text_column") or "text",
                id_column=messages.optional_text(content, "id_column"),
                source_column=source,
            )
        )

    def _ask_score(self, content: Mapping[str, object]) -> None:
        names = messages.names(content, "scores", SCORES)
        # What needs no model comes first: it is quick, and there even if a model is missing.
        self._score(tuple(sorted(names, key=lambda name: family(name) in ("Language model", "Meaning"))))

    def show_form(self, form: Draw) -> None:
        """Show what another draw asked for."""
        if form != self._form:
            self._form = form
            self.refresh()

    def refresh(self) -> None:
        """Show the state as it is."""
        table = self._bench.table
        self.show(
            {
                "form": vars(self._form),
                "given": self._given,
                "summary": None if table is None else sample_summary(table.sample),
                "colors": {} if table is None else category_colors(self._bench.groups.names),
                "families": score_families(table),
            }
        )
