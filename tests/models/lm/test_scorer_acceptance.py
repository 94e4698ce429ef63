"""What a scorer of documents has to hold whatever the model: closed forms, policies, odd documents, faults of
the device.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import tokenizers

from tests.models.conftest import TINY, save_model
from workbench.errors import ModelError
from workbench.models.lm import causal
from workbench.models.lm.backbone import LAYOUTS
from workbench.models.lm.causal import WindowedLM
from workbench.models.lm.definition import LMSettings, lm_definition
from workbench.models.locate import locate
from workbench.models.tokens import load_backend
from workbench.models.training.reference import make_model
from workbench.progress import Silent
from workbench.scores.perplexity import bits_per_byte


def scored(located, texts, *, layout="padded", **settings):
    definition = lm_definition(located, "float32", LMSettings(**settings))
    return WindowedLM(located, definition=definition, layout=layout).record(texts, Silent())


@pytest.fixture
def bigram(monkeypatch, tiny_llama):
    """Replaces the model by one whose next token depends on the last one alone; gives log p(next | last), (V, V)."""
    import torch

    n = load_backend(tiny_llama).get_vocab_size()
    table = torch.log_softmax(torch.randn(n, n, generator=torch.Generator().manual_seed(5)) * 2, dim=1)

    class Bigram(torch.nn.Module):
        config = SimpleNamespace(hidden_size=n, vocab_size=n, _attn_implementation="sdpa")
        dtype, device = torch.float32, torch.device("cpu")

        def __init__(self) -> None:
            super().__init__()
            self.base_model = Body()
            self.head = torch.nn.Linear(n, n, bias=False)
            self.head.weight.data = table.T.contiguous()

        def set_attn_implementation(self, name):
            """Its body attends to nothing."""

        def get_output_embeddings(self):
            return self.head

        def forward(self, input_ids, use_cache):
            return SimpleNamespace(logits=self.head(self.base_model(input_ids)[0]))

    class Body(torch.nn.Module):
        def forward(self, input_ids, use_cache=False, position_ids=None):
            return (torch.nn.functional.one_hot(input_ids, n).float(),)

    monkeypatch.setattr(causal, "load_transformer", lambda *_: Bigram())
    return table.double().numpy()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bigram_model_gives_its_closed_form(bigram, tiny_llama, texts, layout):
    record = scored(tiny_llama, texts, layout=layout, window=24, stride=10, max_tokens=200)
    for text, nll in zip(texts, record["nll_sum"], strict=True):
        ids = [0, *load_backend(tiny_llama).encode(text, add_special_tokens=False).ids[:200]]
        assert nll == pytest.approx(-sum(bigram[u, v] for u, v in itertools.pairwise(ids)), rel=1e-5)


def test_the_context_token_changes_only_the_first_token_of_a_model_without_context(bigram, tiny_llama, texts):
    whole = scored(tiny_llama, texts, window=24, stride=10, max_tokens=90)
    without = scored(tiny_llama, texts, window=24, stride=10, max_tokens=90, context="none")
    first = np.array([load_backend(tiny_llama).encode(t, add_special_tokens=False).ids[0] for t in texts])
    more_than_one = without["n_scored"] > 0
    np.testing.assert_array_equal(without["n_scored"], whole["n_scored"] - 1)
    difference = (whole["nll_sum"] - without["nll_sum"])[more_than_one]
    np.testing.assert_allclose(difference, -bigram[0, first][more_than_one], rtol=1e-4)
    assert np.isnan(without["nll_sum"][~more_than_one]).all()
    assert (without["n_bytes_scored"][~more_than_one] == 0).all()


def zeros(folder, backend, n_vocabulary):
    """A model that finds every token equally likely."""
    import dataclasses

    import torch

    model = make_model(dataclasses.replace(TINY, n_vocabulary=n_vocabulary))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return locate(str(save_model(folder, model, backend)), "lm")


def test_a_uniform_model_costs_the_logarithm_of_its_vocabulary_a_token(tiny_llama, texts, tmp_path):
    record = scored(zeros(tmp_path, load_backend(tiny_llama), 300), texts)
    np.testing.assert_allclose(record["nll_sum"] / record["n_scored"], np.log(300), rtol=1e-6)
    bpb = bits_per_byte(record["nll_sum"], record["n_bytes_scored"])
    expected = record["n_scored"] * np.log(300) / (np.log(2) * record["n_bytes_scored"])
    np.testing.assert_allclose(bpb, expected, rtol=1e-6)


def test_bits_per_byte_is_the_same_under_two_tokenisations_of_one_distribution(tmp_path):
    """Uniform over the letters a and b, as letters and as pairs of letters: one bit a letter either way."""
    texts = ["abba" * 9, "ab", "bb" * 31]
    for n, pieces in ((1, "a b"), (2, "aa ab ba bb")):
        words = {piece: i for i, piece in enumerate(pieces.split())}
        backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token=next(iter(words))))
        every_n = tokenizers.Regex("." * n)
        backend.pre_tokenizer = tokenizers.pre_tokenizers.Split(every_n, "isolated")
        (tmp_path / str(n)).mkdir()
        record = scored(zeros(tmp_path / str(n), backend, len(words)), texts, context="eos")
        np.testing.assert_allclose(bits_per_byte(record["nll_sum"], record["n_bytes_scored"]), 1, rtol=1e-6)


def test_odd_documents_have_numbers_or_none(tiny_llama):
    odd = ["", "x", "a" * 1_000_000, "\ud800 alone \udfff", "\x00\x01\ufffe", "é", "\u202e rtl", " " * 5000]
    record = scored(tiny_llama, odd, max_tokens=500)
    assert np.isfinite(record["nll_sum"][1:]).all()
    assert np.isnan(record["nll_sum"][0])
    assert record["n_scored"][2] == 500
    assert record["n_truncated_tokens"][2] > 1000
    assert record["n_bytes_scored"][5] == 2


def test_a_logit_that_is_not_a_number_marks_its_document_and_the_run_goes_on(tiny_llama, texts, monkeypatch):
    from workbench.models.lm.head import Head

    bad = load_backend(tiny_llama).encode("🎉", add_special_tokens=False).ids[0]
    logits = Head.logits

    def broken(self, hidden):
        out = logits(self, hidden).clone()
        out[:, bad] = float("nan")
        return out

    whole = scored(tiny_llama, texts)
    lm = WindowedLM(tiny_llama, "float32")
    monkeypatch.setattr(Head, "logits", broken)
    nll = lm.record(texts, Silent())["nll_sum"]
    assert np.isnan(nll).all(), "a softmax has one sum over all tokens"

    def some(self, hidden):
        out = logits(self, hidden).clone()
        out[hidden.abs().sum(1) > np.quantile(hidden.abs().sum(1), 0.99)] = float("inf")
        return out

    monkeypatch.setattr(Head, "logits", some)
    record = lm.record(texts, Silent())
    marked = np.isnan(record["nll_sum"])
    assert 0 < marked.sum() < len(texts)
    assert (record["n_scored"] == whole["n_scored"]).all()
    np.testing.assert_allclose(record["nll_sum"][~marked], whole["nll_sum"][~marked])


class Failing:  # stands in for a Backbone
    """A backbone that fails on batches of more than `room` tokens, or on its n-th batch."""

    def __init__(self, backbone, error, room=10**9, at=10**9) -> None:
        self.backbone, self.error, self.room, self.at = backbone, error, room, at
        self.sizes: list[int] = []

    def batches(self, *given):
        return self.backbone.batches(*given)

    def hidden(self, rows):
        self.sizes.append(rows.tokens.size)
        if rows.tokens.size > self.room or len(self.sizes) == self.at:
            raise self.error
        return self.backbone.hidden(rows)


def test_out_of_memory_halves_the_batches_and_goes_on(tiny_llama, texts, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    whole = scored(tiny_llama, texts)["nll_sum"]
    lm = WindowedLM(tiny_llama, "float32")
    lm._backbone = Failing(lm._backbone, torch.OutOfMemoryError("no memory"), room=300)
    record = lm.record(texts, Silent())
    np.testing.assert_allclose(record["nll_sum"], whole, rtol=1e-5)
    assert max(lm._backbone.sizes) > 300 >= lm._backbone.sizes[-1]
    lm._backbone.room = 10
    with pytest.raises(ModelError, match=r"doesn't hold one window of 64 tokens .*; choose a smaller window"):
        lm.record(texts, Silent())


def test_a_device_that_vanishes_is_one_sentence(tiny_llama, texts):
    import torch

    lm = WindowedLM(tiny_llama, "float32")
    lm._backbone = Failing(lm._backbone, torch.AcceleratorError("CUDA error: device lost"), at=2)
    with pytest.raises(
        ModelError, match=r"failed \(AcceleratorError: CUDA error.*; what was scored is kept, run again"
    ):
        lm.record(texts, Silent())


def test_a_tokenizer_with_tokens_that_the_model_does_not_know_is_refused(tiny_llama, tmp_path):
    for path in tiny_llama.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    backend = load_backend(tiny_llama)
    backend.add_tokens(["a further token"])
    backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(
        ModelError, match="has token 300, its output layer only 300; the two don't belong together"
    ):
        WindowedLM(locate(str(tmp_path), "lm"))


def test_models_with_one_tokenizer_share_their_tokens(tiny_llama, texts, monkeypatch, tmp_path):
    from workbench.models.token_cache import TokenCache
    from workbench.models.tokens import FileTokenizer

    made = []
    tokenise = FileTokenizer._tokenise
    monkeypatch.setattr(
        FileTokenizer, "_tokenise", lambda self, some, limit: made.append(1) or tokenise(self, some, limit)
    )
    cache = TokenCache(tmp_path / "tokens")
    first = WindowedLM(tiny_llama, "float32", cache=cache)
    second = WindowedLM(tiny_llama, "bfloat16", cache=cache)
    a, b = first.record(texts, Silent()), second.record(texts, Silent())
    assert len(made) == 1
    np.testing.assert_array_equal(a["n_scored"], b["n_scored"])
    # From the file, in another process, or anew if the file is damaged.
    again = WindowedLM(tiny_llama, "float32", cache=TokenCache(tmp_path / "tokens"))
    assert again.record(texts, Silent())["nll_sum"].tobytes() == a["nll_sum"].tobytes()
    assert len(made) == 1
    (file,) = (tmp_path / "tokens").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    again = WindowedLM(tiny_llama, "float32", cache=TokenCache(tmp_path / "tokens"))
    assert again.record(texts, Silent())["nll_sum"].tobytes() == a["nll_sum"].tobytes()
    assert len(made) == 2
