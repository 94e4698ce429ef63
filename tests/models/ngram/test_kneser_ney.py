"""The n-gram trainer against the published formulas written out with dictionaries, and what must hold anyway."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import Cancelled, InputError
from workbench.models.ngram.arpa import words_of
from workbench.models.ngram.backoff import END, RESERVED, START, START_ID, BackoffModel
from workbench.models.ngram.kneser_ney import FALLBACK, Estimate, KneserNeyParams, estimate
from workbench.progress import Silent


def stream_of(sentences: list[list[str]]) -> tuple[np.ndarray, tuple[str, ...]]:
    ids = {word: i for i, word in enumerate(RESERVED)}
    stream = [ids.setdefault(word, len(ids)) for s in sentences for word in (START, *s, END)]
    return np.array(stream), tuple(ids)


def trained(sentences: list[list[str]], order: int, prune: tuple[int, ...] = (0,)) -> Estimate:
    stream, words = stream_of(sentences)
    return estimate(stream, words, KneserNeyParams(order, prune), Silent())


def text(n_sentences: int, seed: int, n_words: int = 30) -> list[list[str]]:
    """Sentences in which some n-grams are frequent and most are rare."""
    rng = np.random.default_rng(seed)
    return [
        [f"w{min(int(i), n_words) - 1}" for i in rng.zipf(1.5, rng.integers(0, 12))]
        for _ in range(n_sentences)
    ]


class Published:
    """Modified Kneser-Ney as Chen and Goodman 1998 and Heafield et al. 2013 write it, with dictionaries of tuples."""

    def __init__(self, sentences: list[list[str]], order: int, prune: tuple[int, ...] = (0,)) -> None:
        self.order = order
        self.raw = [Counter[tuple[str, ...]]() for _ in range(order + 1)]
        for sentence in sentences:
            padded = [START, *sentence, END]
            for n in range(1, order + 1):
                self.raw[n].update(tuple(padded[i : i + n]) for i in range(len(padded) - n + 1))
        self.words = {w for (w,) in self.raw[1]} - {START} | {"<unk>"}
        self.prune = [0, *prune, *[prune[-1]] * (order - len(prune))]
        self.counts = [dict[tuple[str, ...], int]()] + [self.adjusted(n) for n in range(1, order + 1)]
        self.discounts = [FALLBACK] + [self.estimated(n) for n in range(1, order + 1)]
        self.after = [defaultdict[tuple[str, ...], list[tuple[str, ...]]](list) for _ in range(order + 1)]
        for n in range(1, order + 1):
            for gram in self.counts[n]:
                self.after[n][gram[:-1]].append(gram)

    def adjusted(self, n: int) -> dict[tuple[str, ...], int]:
        if n == self.order:
            counts = dict(self.raw[n])
        else:
            before = Counter(gram[1:] for gram in self.raw[n + 1])
            counts = {gram: self.raw[n][gram] if gram[0] == START else before[gram] for gram in self.raw[n]}
        return {gram: c for gram, c in counts.items() if gram != (START,)}

    def estimated(self, n: int) -> tuple[float, ...]:
        t = Counter(self.counts[n].values())
        if not (t[1] and t[2] and t[3]):
            return FALLBACK
        y = t[1] / (t[1] + 2 * t[2])
        found = tuple(k - (k + 1) * y * t[k + 1] / t[k] for k in (1, 2, 3))
        return found if all(0 < d <= k for k, d in enumerate(found, 1)) else FALLBACK

    def is_kept(self, gram: tuple[str, ...]) -> bool:
        return len(gram) == 1 or self.raw[len(gram)][gram] > self.prune[len(gram)]

    def prob(self, history: tuple[str, ...], word: str) -> float:
        """p(word | history), by recursion."""
        history = history[max(0, len(history) - self.order + 1) :]
        n = len(history) + 1
        grams = self.after[n][history]
        if not grams:
            return 1 / len(self.words) if n == 1 else self.prob(history[1:], word)
        total = sum(self.counts[n][g] for g in grams)
        freed, share = 0.0, 0.0
        for gram in grams:
            count = self.counts[n][gram]
            d = self.discounts[n][min(count, 3) - 1] if self.is_kept(gram) else count
            freed += d / total
            share += (count - d) / total if gram[-1] == word else 0.0
        return share + freed * (self.prob(history[1:], word) if n > 1 else 1 / len(self.words))


def probability(model: BackoffModel, history: tuple[str, ...], word: str) -> float:
    """By way of the scorer: the history stands at the end of a sentence that has begun long ago."""
    ids = [model.ids.get(w, 0) for w in (*history, word)]
    # a sentence must begin with <s>; unknown words then keep it out of the history
    padded = ids if history[:1] == (START,) else [START_ID, 0, 0, 0, 0, 0, *ids]
    return float(10 ** model.log10_probs(np.array(padded))[-1])


def grams_of(model: BackoffModel, order: int) -> list[tuple[str, ...]]:
    """The n-grams of an order, row by row."""
    columns = words_of(model, order, np.arange(len(model.orders[order - 1])))
    return [tuple(model.words[i] for i in ids) for ids in zip(*(c.tolist() for c in columns), strict=True)]


def contexts(model: BackoffModel) -> list[tuple[str, ...]]:
    """Every n-gram that can stand before a word, and some that were never seen."""
    known = [gram for n in range(1, len(model.orders)) for gram in grams_of(model, n) if END not in gram]
    return [(), ("<unk>",), ("<unk>", "w0"), *known]


@pytest.mark.parametrize(
    ("order", "prune"), [(1, (0,)), (2, (0,)), (3, (0, 0, 1)), (5, (0,)), (5, (0, 1, 2))]
)
def test_every_probability_is_that_of_the_published_formulas(order: int, prune: tuple[int, ...]) -> None:
    sentences = text(60, seed=order)
    model, published = trained(sentences, order, prune).model, Published(sentences, order, prune)
    some = contexts(model)[:: 1 if order < 3 else 17]
    assert len(some) > 2 or order == 1
    for history in some:
        for word in ("w0", "w1", "w7", "w29", END, "<unk>"):
            if word in published.words:
                expected = published.prob(history, word)
                assert probability(model, history, word) == pytest.approx(expected, rel=1e-9), (history, word)


@settings(max_examples=30, deadline=None)
@given(
    sentences=st.lists(st.lists(st.sampled_from("abcdef"), max_size=7), min_size=1, max_size=20).filter(any),
    order=st.integers(1, 5),
    prune=st.sampled_from([(0,), (0, 1), (0, 0, 2)]),
)
def test_the_probabilities_after_every_context_sum_to_1(
    sentences: list[list[str]], order: int, prune: tuple[int, ...]
) -> None:
    model = trained(sentences, order, prune[:order]).model
    for history in contexts(model):
        total = sum(probability(model, history, word) for word in model.words if word != START)
        assert total == pytest.approx(1, abs=1e-9), history


def test_discounts_are_estimated_from_the_counts_of_counts() -> None:
    """10 bigrams that stand once, 4 twice, 2 three times, 1 four times: Y = 10 / 18."""
    counts = [1] * 10 + [2] * 4 + [3] * 2 + [4]
    sentences = [[f"v{i}"] for i, count in enumerate(counts) for _ in range(count)]
    found = trained(sentences, 2).discounts[1]
    # Each word makes two bigrams, with <s> before and </s> behind it, so all counts of counts are twice these.
    y = 10 / 18
    assert found.amounts == pytest.approx((1 - 2 * y * 4 / 10, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2))
    assert not found.is_fallback


def test_discounts_that_cannot_be_estimated_are_those_of_lmplz() -> None:
    assert all(d.is_fallback and d.amounts == (0.5, 1.0, 1.5) for d in trained([["a", "b"]], 3).discounts)


def test_no_discount_is_0_so_that_every_word_is_possible() -> None:
    """n1 = 1, n2 = 1, n3 = 2 give Y = 1/3 and D2 = 2 - 3 Y n3 / n2 = 0, which lmplz would take."""
    sentences = [[word] for word, count in zip("abcd", (1, 2, 3, 3), strict=True) for _ in range(count)]
    assert trained(sentences, 1).discounts[0].is_fallback


def test_a_toy_bigram_model_has_the_probabilities_that_are_worked_out_by_hand() -> None:
    """`a b`, `a c`, `a b`. Bigrams: <s>a 3, ab 2, ac 1, b</s> 2, c</s> 1: 2 stand once, 2 twice, 1 three times.

    Y = 2 / (2 + 2 x 2) = 1/3, so D1 = 1 - 2/3 = 1/3, D2 = 2 - 3 x 1/3 x 1/2 = 3/2, D3+ = 3 - 0 = 3. Adjusted
    unigrams: a 1, b 1, c 1, </s> 2, in all 5, discounted by 1/2 and 1: freed are (3 x 1/2 + 1) / 5 = 1/2, for 5
    words (with <unk>).
    """
    model = trained([["a", "b"], ["a", "c"], ["a", "b"]], 2).model
    unigram = {"a": 0.5 / 5 + 0.1, "b": 0.2, "c": 0.2, END: 1 / 5 + 0.1, "<unk>": 0.1}
    for word, expected in unigram.items():
        assert probability(model, ("<unk>",), word) == pytest.approx(expected)
    assert probability(model, (START,), "a") == pytest.approx((3 - 3) / 3 + 3 / 3 * 0.2)
    freed = (1 / 3 + 3 / 2) / 3
    assert probability(model, ("a",), "b") == pytest.approx((2 - 3 / 2) / 3 + freed * 0.2)
    assert probability(model, ("a",), "c") == pytest.approx((1 - 1 / 3) / 3 + freed * 0.2)
    assert probability(model, ("a",), END) == pytest.approx(freed * 0.3)
    assert probability(model, ("b",), END) == pytest.approx((2 - 3 / 2) / 2 + 3 / 4 * 0.3)
    assert probability(model, ("c",), END) == pytest.approx((1 - 1 / 3) / 1 + 1 / 3 * 0.3)


def test_pruning_leaves_out_rare_n_grams_and_nothing_that_another_one_extends() -> None:
    sentences = text(200, seed=3)
    model, published = trained(sentences, 4, (0, 1, 2)).model, Published(sentences, 4)
    assert len(model.orders[0]) == len(published.words) + 1
    for n, threshold in ((2, 1), (3, 2), (4, 2)):
        assert len(model.orders[n - 1]) == sum(c > threshold for c in published.raw[n].values())
        grams = model.orders[n - 1]
        assert (model.find(n, grams.prefix, grams.word) == np.arange(len(grams))).all()


def test_a_bigram_model_trained_on_one_half_scores_the_other_by_counts() -> None:
    sentences = text(80, seed=8)
    half, other = sentences[::2], sentences[1::2]
    model, published = trained(half, 2).model, Published(half, 2)
    for sentence in other:
        ids = [model.ids.get(w, 0) for w in (START, *sentence, END)]
        known = [w if w in model.ids else "<unk>" for w in (START, *sentence, END)]
        expected = sum(np.log10(published.prob((a,), b)) for a, b in itertools.pairwise(known))
        assert model.log10_probs(np.array(ids)).sum() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("order", [0, 6])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(InputError, match=rf"order must lie in 1..5, got {order}; CCNet's is 5"):
        trained([["a"]], order)


@pytest.mark.parametrize("prune", [(1,), (0, 2, 1), (0, 0, 0)])
def test_thresholds_that_rise_not_are_refused(prune: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="prune must begin with 0 and never fall"):
        trained([["a"]], 2, prune)


def test_no_words_are_refused() -> None:
    with pytest.raises(InputError, match="needs at least one word to be trained on"):
        trained([], 3)


def test_training_can_be_stopped() -> None:
    class Stopping(Silent):
        def advance(self, n: int) -> None:
            raise Cancelled("stopped")

    stream, words = stream_of([["a", "b"]])
    with pytest.raises(Cancelled):
        estimate(stream, words, KneserNeyParams(), Stopping())
