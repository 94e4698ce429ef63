"""Best-fit decreasing into rows of a context."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.packing import Packing, bfd_pack, n_cut_by_concatenation, pack_rounds
from workbench.errors import InputError

FIGURE_1 = np.array([14, 7, 5, 2, 3])


def rows(packed: Packing) -> list[list[int]]:
    """The lengths of the pieces of each row."""
    found: list[list[int]] = [[] for _ in range(packed.n_rows)]
    for row, start, end in zip(packed.row.tolist(), packed.start.tolist(), packed.end.tolist(), strict=True):
        found[row].append(end - start)
    return found


def naive(lengths: list[int], context: int) -> list[list[int]]:
    """Best-fit decreasing as it is written down: for each piece a look at every row."""
    pieces = []
    for length in lengths:
        pieces += [context] * (length // context) + [length % context] * (length % context > 0)
    found: list[list[int]] = []
    since: list[int] = []  # when a row came to its space
    for clock, piece in enumerate(sorted(pieces, reverse=True)):
        fits = [i for i, row in enumerate(found) if context - sum(row) >= piece]
        if fits:
            best = min(fits, key=lambda i: (context - sum(found[i]), since[i]))
            found[best].append(piece)
            since[best] = clock
        else:
            found.append([piece])
            since.append(clock)
    return found


def test_figure_1_of_the_paper() -> None:
    packed = bfd_pack(FIGURE_1, 8)
    assert rows(packed) == [[8], [7], [6, 2], [5, 3]]
    assert packed.n_rows == -(-31 // 8)
    pieces = Counter(packed.doc.tolist())
    assert [doc for doc, n in pieces.items() if n > 1] == [0]
    assert n_cut_by_concatenation(FIGURE_1, 8) == 3


def test_trls_example_goes_to_the_row_that_had_the_space_first() -> None:
    packed = bfd_pack(np.array([3, 2, 3, 1]), 4, "repo")
    assert [packed.doc[packed.row == row].tolist() for row in range(3)] == [[0, 3], [2], [1]]


def test_trl_loses_what_a_row_does_not_take() -> None:
    packed = bfd_pack(FIGURE_1, 8, "repo")
    assert rows(packed) == [[8], [7], [5, 3], [2]]
    assert (packed.end - packed.start).sum() == 31 - 6


LENGTHS = st.lists(st.integers(0, 40), max_size=60)


@given(LENGTHS, st.integers(1, 20))
def test_the_rows_are_those_of_a_search_of_every_row(lengths: list[int], context: int) -> None:
    assert rows(bfd_pack(np.array(lengths, dtype=np.int64), context)) == naive(lengths, context)


@given(LENGTHS, st.integers(1, 20))
def test_every_token_lies_in_one_row_and_no_row_holds_too_many(lengths: list[int], context: int) -> None:
    packed = bfd_pack(np.array(lengths, dtype=np.int64), context)
    pieces = sorted(zip(packed.doc.tolist(), packed.start.tolist(), packed.end.tolist(), strict=True))
    tokens = [(doc, i) for doc, start, end in pieces for i in range(start, end)]
    assert tokens == [(doc, i) for doc, length in enumerate(lengths) for i in range(length)]
    sizes = [sum(row) for row in rows(packed)]
    assert all(0 < size <= context for size in sizes)
    # A document is parted only where it must be.
    assert all(Counter(packed.doc.tolist())[doc] == -(-n // context) for doc, n in enumerate(lengths) if n)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), max_size=30), st.integers(1, 20))
def test_copies_are_packed_as_often_as_asked_and_never_into_one_row(
    given_documents: list[tuple[int, int]], context: int
) -> None:
    lengths, copies = np.array(given_documents, dtype=np.int64).reshape(-1, 2).T
    packed, rounds = pack_rounds(lengths, copies, context)
    pieces = zip(
        packed.doc.tolist(), rounds.tolist(), packed.start.tolist(), packed.end.tolist(), strict=True
    )
    tokens = sorted((doc, k, i) for doc, k, start, end in pieces for i in range(start, end))
    assert tokens == [
        (d, k, i) for d, (n, c) in enumerate(given_documents) for k in range(c) for i in range(n)
    ]
    assert all(0 < sum(row) <= context for row in rows(packed))
    firsts = Counter(
        (row, doc)
        for row, doc, start in zip(
            packed.row.tolist(), packed.doc.tolist(), packed.start.tolist(), strict=True
        )
        if start == 0
    )
    assert set(firsts.values()) <= {1}
    assert (np.diff(packed.row) >= 0).all()


@given(LENGTHS, st.randoms())
def test_another_order_gives_rows_of_the_same_sizes(lengths: list[int], random: Any) -> None:
    shuffled = lengths.copy()
    random.shuffle(shuffled)
    one, other = (bfd_pack(np.array(n, dtype=np.int64), 16) for n in (lengths, shuffled))
    assert sorted(map(sum, rows(one))) == sorted(map(sum, rows(other)))


@given(LENGTHS, st.integers(1, 20))
def test_concatenation_cuts_where_a_document_lies_in_two_rows(lengths: list[int], context: int) -> None:
    stream = [doc for doc, n in enumerate(lengths) for _ in range(n)]
    places = {doc: {i // context for i, d in enumerate(stream) if d == doc} for doc in set(stream)}
    cut = sum(len(found) > 1 for found in places.values())
    assert n_cut_by_concatenation(np.array(lengths, dtype=np.int64), context) == cut


def test_a_hundred_thousand_documents_take_about_as_many_rows_as_concatenation() -> None:
    lengths = np.random.default_rng(3).lognormal(6, 1, 100_000).astype(np.int64) + 1
    packed = bfd_pack(lengths, 2048)
    assert packed.n_rows < 1.001 * -(-lengths.sum() // 2048)


@pytest.mark.parametrize(
    ("lengths", "context", "message"),
    [([3, -1], 8, "a length must be 0 or more, got -1"), ([3], 0, "context must be at least 1")],
)
def test_what_cannot_be_packed_is_refused(lengths: list[int], context: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bfd_pack(np.array(lengths), context)


def test_no_documents_make_no_rows() -> None:
    for lengths in ([], [0, 0]):
        packed = bfd_pack(np.array(lengths, dtype=np.int64), 8)
        assert (packed.n_rows, len(packed.row)) == (0, 0)
