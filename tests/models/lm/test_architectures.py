"""Every kind of causal model gives the numbers of its own plain forward pass, in each layout and cut into windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.conftest import save_model
from tests.models.lm.plain_loop import brute_force
from workbench.errors import ModelError
from workbench.models.lm.backbone import LAYOUTS
from workbench.models.lm.causal import WindowedLM
from workbench.models.lm.definition import LMSettings, lm_definition
from workbench.models.locate import Located, locate
from workbench.models.training.reference import train_tokenizer
from workbench.progress import Silent

LONGEST = 64
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": LONGEST,
}
WIDE = {**SHAPE, "num_key_value_heads": 2, "intermediate_size": 48}

# The class of the configuration and what makes it small: absolute, rotary and ALiBi positions, sliding
# windows, attention sinks, tied and untied heads, scaled and capped logits.
CONFIGS = {
    "GPT2": {"n_positions": LONGEST, "n_embd": 32, "n_layer": 2, "n_head": 2},
    "GPTNeoX": {**SHAPE, "intermediate_size": 48},
    "Llama": WIDE,
    "OPT": {**SHAPE, "ffn_dim": 48, "word_embed_proj_dim": 32},
    "Mpt": {"d_model": 32, "n_layers": 2, "n_heads": 2, "max_seq_len": LONGEST},
    "Gemma2": {
        **WIDE, "head_dim": 16, "sliding_window": 16, "final_logit_softcapping": 5.0, "attn_logit_softcapping": 3.0,
        "query_pre_attn_scalar": 16,
    },
    "Mistral": {**WIDE, "sliding_window": 8},
    "Granite": {**WIDE, "logits_scaling": 4.0},
    "Cohere": {**WIDE, "logit_scale": 0.25},
    "GptOss": {**WIDE, "head_dim": 16, "sliding_window": 8, "num_local_experts": 2, "num_experts_per_tok": 1},
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 2},
}  # fmt: skip
# ALiBi that takes no mask but the 2-D one; sinks, which blocks don't have, and position ids that don't part windows.
NEVER_PACKED = {"Bloom", "GptOss"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> dict[str, Located]:
    import torch
    import transformers

    tokenizer = train_tokenizer(texts, 300)
    out = {}
    for name, options in CONFIGS.items():
        torch.manual_seed(3)
        config = getattr(transformers, f"{name}Config")(
            vocab_size=300, bos_token_id=0, eos_token_id=0, initializer_range=0.3, **options
        )
        model = transformers.AutoModelForCausalLM.from_config(config)
        folder: Path = save_model(tmp_path_factory.mktemp(name), model, tokenizer)
        out[name] = locate(str(folder), "lm")
    return out


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CONFIGS)
def test_every_architecture_agrees_with_its_plain_forward_pass(name, layout, models, texts):
    some = ["", *texts[::3], "a"]
    definition = lm_definition(models[name], "float32", LMSettings(window=48, stride=20, max_tokens=100))
    if layout == "packed" and name in NEVER_PACKED:
        with pytest.raises(
            ModelError, match=r"packed into one row see each other .*; score it with the layout padded"
        ):
            WindowedLM(models[name], definition=definition, layout=layout)
        return
    record = WindowedLM(models[name], definition=definition, layout=layout).record(some, Silent())
    nll, n_scored = brute_force(models[name], some, definition)
    np.testing.assert_array_equal(record["n_scored"], n_scored)
    mean = record["nll_sum"] / np.maximum(n_scored, 1)
    np.testing.assert_allclose(mean, nll / np.maximum(n_scored, 1), atol=1e-4)
    assert np.nanstd(mean) > 0.01


def test_packed_documents_depend_on_each_other_by_rounding_alone(models, texts):
    lm = WindowedLM(models["Llama"], "float32", layout="packed")
    nll = lm.record(texts, Silent())
    order = np.random.default_rng(0).permutation(len(texts))
    other = lm.record([texts[i] for i in order], Silent())
    np.testing.assert_allclose(
        other["nll_sum"] / other["n_scored"], (nll["nll_sum"] / nll["n_scored"])[order], atol=1e-5
    )


def test_a_model_in_which_packed_documents_leak_is_refused(models, monkeypatch):
    """As it was with a cache or an all-ones mask: documents saw each other, silently."""
    from workbench.models.lm.backbone import Backbone

    run = Backbone._run
    monkeypatch.setattr(Backbone, "_run", lambda self, rows, isolation: run(self, rows, None))
    with pytest.raises(ModelError, match=r"see each other in model .* \(by \d\.?\d* nats\); score it with"):
        WindowedLM(models["Llama"], "float32", layout="packed")
