"""Embedding documents: ours against `SentenceTransformer.encode`, the same texts and model in one run.

The sides take turns on slices of the same texts, so that a busy machine hurts both. Needs numpy, torch, transformers
and sentence-transformers alone: without the committed sample or MiniLM's package (a bare GPU machine), or with
--synthetic, texts are made up and the model is MiniLM's shape with random weights.

    python benchmarks/bench_embed.py [--documents 3000] [--slices 6]
    python benchmarks/bench_embed.py --synthetic --documents 200000     (the row of a GPU)
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# A CPU that is slow in bfloat16 measures it on fewer documents: what there is to say is that it is slow.
_SLOW_SHARE = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--slices", type=int, default=6)
    parser.add_argument("--synthetic", action="store_true")
    args = parser.parse_args()

    import sentence_transformers
    import torch

    from workbench.models.runtime import device, fast_cpu_dtype

    where = torch.cuda.get_device_name() if device() == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"torch {torch.__version__}, sentence-transformers {sentence_transformers.__version__}, {where}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = None if args.synthetic else _minilm()
        texts = None if folder is None else _sample(args.documents)
        if folder is None or texts is None:
            folder, texts = _random_model(Path(scratch)), _random_texts(args.documents)
            print("MiniLM's shape with random weights, made-up texts")
        ours, peer = _ours(folder), _peer(folder)
        compare(
            "float32 against its defaults (float32)", texts, args.slices, ours("float32"), peer("float32")
        )
        fast = device() == "cuda" or fast_cpu_dtype() == "bfloat16"
        if not fast:
            texts = texts[: max(len(texts) // _SLOW_SHARE, 1)]
            print(f"this CPU is not faster in bfloat16, so only {len(texts)} documents from here")
        compare(
            "bfloat16 against its defaults (float32)", texts, args.slices, ours("bfloat16"), peer("float32")
        )
        compare("bfloat16 against bfloat16", texts, args.slices, ours("bfloat16"), peer("bfloat16"))
    if device() == "cpu":
        print("on a GPU: not measured")


Encode = Callable[[list[str]], np.ndarray]


def compare(what: str, texts: list[str], n_slices: int, ours: Encode, peer: Encode) -> None:
    """Both sides on each slice, one after the other; documents a second, ratio, and cosines to the peer."""
    seconds = {"ours": 0.0, "peer": 0.0}
    cosines = []
    for side in (ours, peer):
        side(texts[:16])
    for k in range(n_slices):
        part = texts[k::n_slices]
        start = time.perf_counter()
        mine = ours(part)
        seconds["ours"] += time.perf_counter() - start
        start = time.perf_counter()
        theirs = peer(part)
        seconds["peer"] += time.perf_counter() - start
        cosines.append((mine * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1))
    rates = {side: len(texts) / s for side, s in seconds.items()}
    cosine = np.concatenate(cosines)
    print(
        f"{what}: ours {rates['ours']:.1f} documents/s, peer {rates['peer']:.1f}, "
        f"ratio ours/peer {rates['ours'] / rates['peer']:.2f}; "
        f"cosine mean {cosine.mean():.5f}, least {cosine.min():.5f}",
        flush=True,
    )


def _ours(folder: Path) -> Callable[[str], Encode]:
    from workbench.models.embedding.sentence import SentenceEmbedder
    from workbench.models.locate import locate
    from workbench.progress import Silent

    def make(dtype: str) -> Encode:
        model = SentenceEmbedder(locate(str(folder), "embedder"), dtype)
        return lambda texts: model.encode(texts, Silent())

    return make


def _peer(folder: Path) -> Callable[[str], Encode]:
    import torch
    from sentence_transformers import SentenceTransformer

    def make(dtype: str) -> Encode:
        kwargs = {} if dtype == "float32" else {"dtype": torch.bfloat16}
        model = SentenceTransformer(str(folder), model_kwargs=kwargs)
        if dtype == "float32":
            return lambda texts: np.asarray(model.encode(texts))
        # numpy knows no bfloat16
        return lambda texts: model.encode(texts, convert_to_tensor=True).float().cpu().numpy()

    return make


def _minilm() -> Path | None:
    from workbench.errors import ModelError
    from workbench.models.locate import DEFAULT_EMBEDDER, locate

    try:
        return locate(DEFAULT_EMBEDDER, "embedder").folder
    except ModelError:
        return None


def _sample(n: int) -> list[str] | None:
    """Documents of the committed sample; None where it, or what reads it, isn't there."""
    try:
        from workbench.corpus import read
        from workbench.embedded import sample_corpus

        return list(read(sample_corpus()).sample(n, seed=0).texts)
    except ImportError:
        return None


def _random_texts(n: int) -> list[str]:
    """Texts of 20 to 2,000 words, as unequal as those of the web."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(5, 1, n), 20, 2000).astype(int)
    return [" ".join(f"w{i}" for i in rng.integers(0, 30000, length)) for length in lengths]


def _random_model(folder: Path) -> Path:
    """A sentence-transformers folder: six layers, width 384, 256 tokens, a word a token."""
    import tokenizers
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = {word: i for i, word in enumerate([*special, *(f"w{i}" for i in range(30000))])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder / "plain")
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    BertModel(config).save_pretrained(folder / "plain")
    body: Any = modules.Transformer(str(folder / "plain"))
    body.max_seq_length = 256
    SentenceTransformer(modules=[body, modules.Pooling(384), modules.Normalize()]).save(str(folder / "model"))
    return folder / "model"


if __name__ == "__main__":
    main()
