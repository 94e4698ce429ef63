"""How a sample was drawn: what each of its documents stands for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workbench.checks import canonical_json
from workbench.errors import InputError

#: Each source gives at least this many documents (or all it has): from one alone no spread can be told.
MIN_PER_SOURCE = 2

_FORMAT = "sample-design/1"


@dataclass(frozen=True)
class Stratum:
    """One source of a corpus, and what was drawn from it.

    Attributes
    ----------
    n_corpus, n_sample
        Documents in the corpus, and of them in the sample.
    n_bytes_corpus
        UTF-8 bytes of the texts in the corpus.
    rate
        Probability, in 0..1, with which each document of the source was drawn.
    """

    n_corpus: int
    n_sample: int
    n_bytes_corpus: int
    rate: float


@dataclass(frozen=True)
class Design:
    """How a sample was drawn.

    Attributes
    ----------
    by
        "source": each source was drawn from apart, at its own rate; None: all documents together at one.
    seed
        Of the draw.
    strata
        Each source of the corpus, also one that gave nothing.
    corpus_fingerprint
        Of the corpus.
    n_quarantined
        Rows of the corpus that are no documents.
    """

    by: str | None
    seed: int
    strata: dict[str, Stratum]
    corpus_fingerprint: str
    n_quarantined: int

    def to_json(self) -> str:
        """The design as JSON text."""
        return canonical_json({"format": _FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str | bytes) -> Design:
        """The design that `to_json` wrote.

        Raises
        ------
        InputError
            If the text isn't JSON, lacks something or holds a value out of its range.
        """
        try:
            value = json.loads(text)
            if value["format"] != _FORMAT:
                raise ValueError(f"its format is {value['format']!r}, {_FORMAT!r} is read")
            strata = {str(name): _stratum(given) for name, given in value["strata"].items()}
            if value["by"] not in ("source", None):
                raise ValueError(f"by is {value['by']!r}")
            return cls(
                value["by"], _count(value, "seed", low=None), strata,
                str(value["corpus_fingerprint"]), _count(value, "n_quarantined"),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else error
            raise InputError(f"the sample's design can't be read: {what}; draw the sample again") from error

    def rates_fit(self) -> bool:
        """Whether each rate is what the counts say it is."""
        n_corpus = sum(stratum.n_corpus for stratum in self.strata.values())
        n_sample = sum(stratum.n_sample for stratum in self.strata.values())
        for stratum in self.strata.values():
            drawn, of = (stratum.n_sample, stratum.n_corpus) if self.by else (n_sample, n_corpus)
            if not math.isclose(stratum.rate, drawn / of, rel_tol=1e-9):
                return False
        return True


def _stratum(given: Mapping[str, Any]) -> Stratum:
    n_corpus, n_sample = _count(given, "n_corpus", low=1), _count(given, "n_sample")
    if n_sample > n_corpus:
        raise ValueError(f"{n_sample} documents were drawn from {n_corpus}")
    rate = given["rate"]
    if type(rate) not in (int, float) or not 0.0 <= rate <= 1.0:
        raise ValueError(f"the rate {rate!r} doesn't lie in 0..1")
    return Stratum(n_corpus, n_sample, _count(given, "n_bytes_corpus"), float(rate))


def _count(given: Mapping[str, Any], key: str, low: int | None = 0) -> int:
    value = given[key]
    if type(value) is not int or (low is not None and value < low):
        raise ValueError(f"{key} is {value!r}")
    return value


def allocate(n: int, counts: Mapping[str, int]) -> dict[str, int]:
    """How many documents each source gives to a sample of `n`.

    In proportion to the sources' counts, rounded by largest remainder (ties: the first name), but at least
    two from each of several, or all it has. A corpus of at most `n` documents is taken whole.

    Raises
    ------
    InputError
        If `n` is less than the least that the sources must give together.
    """
    if n >= sum(counts.values()):
        return dict(counts)
    if len(counts) == 1:
        return dict.fromkeys(counts, n)
    least = {name: min(MIN_PER_SOURCE, count) for name, count in counts.items()}
    if n < sum(least.values()):
        raise InputError(
            f"n={n} is too few for {len(counts)} sources, each of which gives at least {MIN_PER_SOURCE} "
            f"documents or all it has; ask for at least {sum(least.values())}, "
            "or draw without strata (--by none, by=None)"
        )
    quota: dict[str, int] = {}
    free = sorted(counts)
    while True:
        left, total = n - sum(quota.values()), sum(counts[name] for name in free)
        short = [name for name in free if left * counts[name] < least[name] * total]
        if not short:
            break
        # What the small sources get beyond their share, the others give; that may make another one small.
        quota |= {name: least[name] for name in short}
        free = [name for name in free if name not in quota]
    quota |= {name: left * counts[name] // total for name in free}
    by_remainder = sorted(free, key=lambda name: (-(left * counts[name] % total), name))
    for name in by_remainder[: n - sum(quota.values())]:
        quota[name] += 1
    return quota
