from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.conftest import save_model
from tests.models.counting import Counting
from tests.models.lm.plain_loop import brute_force
from workbench.errors import Cancelled, ModelError
from workbench.models.lm import head
from workbench.models.lm.causal import WindowedLM
from workbench.models.lm.definition import LMSettings, lm_definition
from workbench.models.locate import DEFAULT_LM, locate
from workbench.models.tokens import load_backend
from workbench.progress import Silent


@pytest.fixture(params=["tiny_llama", "tiny_gpt2"])
def located(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    "settings",
    [
        LMSettings(max_tokens=150),
        LMSettings(window=20, stride=7, max_tokens=90),
        LMSettings(window=20, stride=20),
        LMSettings(window=33, stride=1, max_tokens=60),
        LMSettings(window=20, stride=5, context="none"),
        LMSettings(context="eos"),
    ],
    ids=str,
)
def test_the_record_equals_a_plain_loop_over_the_whole_model(located, texts, settings):
    texts = ["", *texts]
    lm = WindowedLM(located, definition=lm_definition(located, "float32", settings))
    definition = lm.definition()
    record = lm.record(texts, Silent())
    nll, n_scored = brute_force(located, texts, definition)
    np.testing.assert_allclose(record["nll_sum"], nll, rtol=1e-4)
    np.testing.assert_array_equal(record["n_scored"], n_scored)
    n_tokens = np.array([len(load_backend(located).encode(t, add_special_tokens=False).ids) for t in texts])
    n_read = np.minimum(n_tokens, definition["max_tokens"])
    np.testing.assert_array_equal(record["n_truncated_tokens"], n_tokens - n_read)
    assert (record["n_truncated_tokens"] > 0).sum() > 5
    # The bytes of the span that was scored: of all of it, or of all but the first token.
    backend = load_backend(located)
    unscored = int(definition["context_token_id"] is None)
    for text, n, n_bytes in zip(texts, n_read, record["n_bytes_scored"], strict=True):
        span = backend.encode(text, add_special_tokens=False).ids[unscored:n]
        decoded = backend.decode(span, skip_special_tokens=False)
        # A character of which only some bytes were scored counts whole.
        assert abs(n_bytes - len(decoded.encode())) <= 3 * decoded.count("\ufffd")
    assert record["nll_sum"].dtype == np.float64
    assert all(record[name].dtype == np.int64 for name in record if name != "nll_sum")


def test_an_empty_text_is_not_scorable(tiny_llama):
    record = WindowedLM(tiny_llama).record(["", "a"], Silent())
    assert np.isnan(record["nll_sum"]).tolist() == [True, False]
    assert [record[n][0] for n in ("n_scored", "n_truncated_tokens", "n_bytes_scored")] == [0, 0, 0]
    assert all(len(column) == 0 for column in WindowedLM(tiny_llama).record([], Silent()).values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_document_does_not_depend_on_the_documents_beside_it_to_the_bit(located, texts, dtype):
    lm = WindowedLM(located, dtype)
    nll = lm.record(texts, Silent())["nll_sum"]
    order = np.random.default_rng(0).permutation(len(texts))
    assert lm.record([texts[i] for i in order], Silent())["nll_sum"].tobytes() == nll[order].tobytes()
    for i in (0, 5, 20, 35, 39):
        assert lm.record([texts[i]], Silent())["nll_sum"].tobytes() == nll[i : i + 1].tobytes()


def test_a_model_of_zeros_gives_the_logarithm_of_its_vocabulary(tiny_llama, texts, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_llama.folder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    save_model(tmp_path, model, load_backend(tiny_llama))
    record = WindowedLM(locate(str(tmp_path), "lm")).record(texts, Silent())
    np.testing.assert_allclose(record["nll_sum"] / record["n_scored"], np.log(300), rtol=1e-6)


def test_chunks_of_the_head_change_nothing(tiny_llama, texts, monkeypatch):
    whole = WindowedLM(tiny_llama).record(texts, Silent())["nll_sum"]
    monkeypatch.setitem(head.CHUNK_LOGITS, "cpu", 1)
    chunked = WindowedLM(tiny_llama).record(texts, Silent())["nll_sum"]
    np.testing.assert_allclose(chunked, whole, rtol=1e-6)


def test_the_definition_says_what_decides_the_numbers_and_loads_no_weights(tiny_gpt2, monkeypatch):
    from workbench.models.lm import causal

    monkeypatch.setattr(causal, "load_transformer", None)
    definition = lm_definition(tiny_gpt2)
    # GPT-2 prepends nothing; EOS separates its documents.
    assert definition["context_token_id"] == 299
    assert (definition["window"], definition["stride"], definition["max_tokens"]) == (64, 32, 160)
    assert definition["dtype"] == "float32"
    assert set(definition["files"]) == {"config.json", "model.safetensors", "tokenizer.json"}
    assert str(tiny_gpt2.folder.parent) not in json.dumps(definition)
    assert lm_definition(tiny_gpt2, "bfloat16") != definition


def test_the_token_that_a_tokenizer_prepends_comes_first(tiny_llama, tmp_path):
    from tokenizers.processors import TemplateProcessing

    backend = load_backend(tiny_llama)
    backend.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_llama.folder / name).read_bytes())
    backend.save(str(tmp_path / "tokenizer.json"))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"eos_token_id": [7, 8]}))
    assert lm_definition(locate(str(tmp_path), "lm"))["context_token_id"] == 0
    (tmp_path / "tokenizer.json").write_bytes((tiny_llama.folder / "tokenizer.json").read_bytes())
    assert lm_definition(locate(str(tmp_path), "lm"))["context_token_id"] == 7
    assert (
        lm_definition(locate(str(tmp_path), "lm"), settings=LMSettings(context="bos"))["context_token_id"]
        == 0
    )
    (tmp_path / "config.json").write_text(json.dumps(config | {"eos_token_id": None, "bos_token_id": None}))
    assert lm_definition(locate(str(tmp_path), "lm"))["context_token_id"] is None
    with pytest.raises(
        ModelError, match=r"has no EOS token in its config\.json; choose another context token"
    ):
        lm_definition(locate(str(tmp_path), "lm"), settings=LMSettings(context="eos"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (LMSettings(window=65), "window must be at most 64, which model .* can read, got 65"),
        (LMSettings(window=1), "window must be at least 2 tokens, got 1"),
        (LMSettings(window=8, stride=9), r"stride must lie in 1\.\.8"),
        (LMSettings(max_tokens=-1), "max_tokens must be at least 1, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(tiny_gpt2, settings, sentence):
    with pytest.raises(ModelError, match=sentence):
        lm_definition(tiny_gpt2, settings=settings)


def test_a_cached_decoder_is_scaled_as_its_config_says_or_refused(tiny_llama, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(head.Head, "logits", lambda self, rows: 2 * rows @ self._weight.T)
    with pytest.raises(ModelError, match=r"are not its output layer over its hidden states \(they differ by"):
        WindowedLM(tiny_llama)


def test_a_folder_that_is_no_language_model_is_refused_in_one_sentence(tiny_llama, tmp_path):
    for path in tiny_llama.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", "eos_token_id": 0}))
    with pytest.raises(
        ModelError, match=r"can't be loaded as a causal language model .*give the folder of one"
    ):
        WindowedLM(locate(str(tmp_path), "lm"))


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"x\.gguf can't be read as a GGUF model .*choose another file"):
        lm_definition(locate(str(tmp_path / "x.gguf"), "lm"))


def test_a_definition_without_a_window_is_refused(tiny_llama):
    definition = {**lm_definition(tiny_llama), "window": None}
    with pytest.raises(ModelError, match="definition needs window as an integer, got None"):
        WindowedLM(tiny_llama, definition=definition)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (LMSettings(window=0), "window must be at least 2 tokens, got 0"),
        (LMSettings(window=-5), "window must be at least 2 tokens, got -5"),
        (LMSettings(stride=0), r"stride must lie in 1\.\..* got 0"),
        (LMSettings(max_tokens=0), "max_tokens must be at least 1, got 0"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_its_name(tiny_llama, settings, sentence):
    for located in (tiny_llama, locate(DEFAULT_LM, "lm")):
        with pytest.raises(ModelError, match=sentence):
            lm_definition(located, settings=settings)


def test_progress_counts_every_character_once_and_can_stop(tiny_llama, texts):
    count = Counting()
    WindowedLM(tiny_llama).record(["", *texts], count)
    assert count.n == sum(map(len, texts))
    count.stop = 0
    with pytest.raises(Cancelled):
        WindowedLM(tiny_llama).record(texts, count)


def test_an_unknown_dtype_is_refused(tiny_llama):
    with pytest.raises(ModelError, match="dtype must be float32 or bfloat16, got 'float16'"):
        WindowedLM(tiny_llama, "float16")


@pytest.mark.parametrize(
    "settings", [LMSettings(window=20, stride=7, max_tokens=90), LMSettings(context="none")]
)
def test_the_surprise_of_each_token_is_the_models_own_and_adds_up_to_the_record(tiny_llama, texts, settings):
    import torch
    from transformers import AutoModelForCausalLM

    lm = WindowedLM(tiny_llama, definition=lm_definition(tiny_llama, "float32", settings))
    plain = AutoModelForCausalLM.from_pretrained(tiny_llama.folder)
    context, window = lm.definition()["context_token_id"], lm.definition()["window"]
    for text in ["", "a", *texts[:3]]:
        found = lm.surprisal(text, Silent())
        unscored = int(context is None)
        assert np.isnan(found.bits[:unscored]).all()
        nll = lm.record([text], Silent())["nll_sum"][0]
        scored = found.bits[unscored:]
        np.testing.assert_allclose(scored.sum() * np.log(2) if len(scored) else np.nan, nll, rtol=1e-9)
        encoded = load_backend(tiny_llama).encode(text, add_special_tokens=False)
        assert found.ends.tolist() == [end for _, end in encoded.offsets[: len(found.ends)]]
        ids = encoded.ids[: min(len(found.ends), window - 1)]
        if len(ids) < 2:
            continue
        begin = [] if context is None else [context]
        with torch.inference_mode():
            log_p = torch.log_softmax(plain(torch.tensor([begin + ids[:-1]])).logits[0].double(), -1)
        own = [-float(log_p[i, token]) / np.log(2) for i, token in enumerate(ids[unscored:])]
        np.testing.assert_allclose(found.bits[unscored : len(ids)], own, rtol=1e-4)
