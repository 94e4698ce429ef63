"""Perplexity of documents: ours against transformers used in the two plain ways, the same tokens and dtype in one run.

The plain ways: one document a forward pass with all its logits, and padded batches in file order with all their logits.
The rate of matrix products is measured in the same run, in the shapes that the model has, so that "share of what the
hardware gives" means something.

    python -m benchmarks.bench_perplexity [--model SmolLM2-135M] [--documents 300] [--max-tokens 2048] [--dtype float32]
    python -m benchmarks.bench_perplexity --shape gpt2-125M --documents 50000   # random weights, on a GPU
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SHAPES = {
    "gpt2-125M": {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
    "neox-1B": {
        "hidden_size": 2048,
        "num_hidden_layers": 16,
        "num_attention_heads": 16,
        "intermediate_size": 8192,
    },
}
BATCH = {"cpu": 8, "cuda": 16}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="SmolLM2-135M", help="name or folder of a causal LM")
    parser.add_argument("--shape", choices=SHAPES, help="random weights of this shape in the model's place")
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument(
        "--max-tokens", type=int, default=2048, help="of a document; no more than the model reads at once"
    )
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default=None)
    parser.add_argument("--layout", choices=("auto", "padded", "packed"), default="auto")
    parser.add_argument("--skip-batches", action="store_true", help="leave out the slow padded batches")
    given = parser.parse_args()

    import torch
    import transformers

    from workbench.models.lm.causal import WindowedLM
    from workbench.models.lm.definition import LMSettings, lm_definition, longest_window
    from workbench.models.runtime import device
    from workbench.models.transformer import load_transformer, read_config

    located = random_model(given.shape) if given.shape else find(given.model)
    dtype = given.dtype or ("bfloat16" if device() == "cuda" else "float32")
    n = min(given.max_tokens, longest_window(read_config(located)))
    definition = lm_definition(located, dtype, LMSettings(window=n, stride=n, max_tokens=n))
    lm = WindowedLM(located, definition=definition, layout=given.layout)
    texts = made_up(lm, given.documents) if given.shape else sample_texts(given.documents)
    ids = [kept.ids for kept in lm._tokenizer.keep(texts, n)]
    n_tokens = sum(map(len, ids))
    model = load_transformer(
        located, dtype, device(), "causal"
    )  # the peers' own, with the attention that it comes with
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, {given.shape or given.model} in {dtype}, "
        f"{torch.cuda.get_device_name() if device() == 'cuda' else f'{torch.get_num_threads()} threads'}, "
        f"{len(texts):,} documents, {n_tokens:,} tokens, at most {n} a document, layout {given.layout}"
    )

    from workbench.progress import Silent

    context = int(definition["context_token_id"] or 0)
    sides: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: lm.record(texts, Silent())["nll_sum"],
        "one document a forward pass": lambda: plain(model, ids, context, 1),
    }
    if not given.skip_batches:
        sides["padded batches in file order"] = lambda: plain(model, ids, context, BATCH[device()])
    lm.record(texts[:8], Silent())
    lm._tokenizer.keep(texts, n)  # every side gets tokens that are there
    seconds, values = {}, {}
    for name, side in sides.items():
        start = time.perf_counter()
        values[name] = side()
        seconds[name] = time.perf_counter() - start
        rate = n_tokens / seconds[name]
        print(f"{name}: {rate:,.0f} tokens/s")
    flop = flop_a_token(model, n_tokens / len(texts))
    peak = matrix_rate(model, dtype)
    for name in list(sides)[1:]:
        off = np.nanmax(np.abs(values[name] - values["ours"]) / np.array([max(len(i), 1) for i in ids]))
        print(
            f"ratio to {name}: {seconds[name] / seconds['ours']:.2f} (largest difference {off:.1e} nats a token)"
        )
    reached = flop * n_tokens / seconds["ours"]
    print(
        f"matrix products: {peak / 1e9:,.0f} GFLOP/s measured; ours {reached / 1e9:,.0f}, {reached / peak:.0%} of it "
        f"({flop / 1e9:.3f} GFLOP a token)"
    )


def find(name: str):
    from workbench.models.locate import locate

    return locate(name, "lm")


def sample_texts(n: int) -> list[str]:
    from benchmarks.texts import sample_texts as of_sample

    return of_sample(n)


def random_model(shape: str):
    """A model of random weights in a folder of its own, with the reference LM's tokenizer."""
    import shutil
    import tempfile
    from pathlib import Path

    import torch
    from transformers import AutoModelForCausalLM, GPTNeoXConfig

    from workbench.models.locate import DEFAULT_LM, locate

    folder = Path(tempfile.mkdtemp(prefix="bench-lm-"))
    config = GPTNeoXConfig(
        vocab_size=50257, max_position_embeddings=2048, bos_token_id=0, eos_token_id=0, **SHAPES[shape]
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    shutil.copy(locate(DEFAULT_LM, "lm").folder / "tokenizer.json", folder)
    return locate(str(folder), "lm")


def made_up(lm, n: int) -> list[str]:
    """Texts, n, of 50 to 2,000 tokens of the model's tokenizer."""
    rng = np.random.default_rng(0)
    words = np.array([f" {word}" for word in "the of and to in is that for it with as was on be by".split()])
    return ["".join(rng.choice(words, rng.integers(50, 2001))) for _ in range(n)]


def plain(model, ids: list[np.ndarray], context: int, batch: int) -> np.ndarray:
    """As one writes it: the model's own logits, a log-softmax, a gather; padded on the right."""
    import torch

    out = np.full(len(ids), np.nan)
    with torch.inference_mode():
        for start in range(0, len(ids), batch):
            rows = ids[start : start + batch]
            longest = max(map(len, rows))
            if not longest:
                continue
            tokens = torch.zeros(len(rows), longest, dtype=torch.long)
            targets = torch.full((len(rows), longest), -100)
            for r, row in enumerate(rows):
                tokens[r, : len(row)] = torch.tensor([context, *row[:-1]])[: len(row)]
                targets[r, : len(row)] = torch.from_numpy(row)
            mask = {"attention_mask": (targets >= 0).long().to(model.device)} if batch > 1 else {}
            logits = model(input_ids=tokens.to(model.device), use_cache=False, **mask).logits
            nll = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1).float(), targets.flatten().to(model.device), reduction="none"
            )
            sums = nll.view(len(rows), -1).double().sum(1).cpu().numpy()
            out[start : start + len(rows)] = [
                s if len(row) else np.nan for s, row in zip(sums, rows, strict=True)
            ]
    return out


def flop_a_token(model, mean_length: float) -> float:
    """Of a forward pass: two a weight of the body and of the head, and attention over half of the document."""
    config = model.config
    embeddings = {
        id(p) for m in (model.get_input_embeddings(), model.get_output_embeddings()) for p in m.parameters()
    }
    body = sum(p.numel() for p in model.parameters() if id(p) not in embeddings and p.ndim >= 2)
    head = config.vocab_size * config.hidden_size
    return 2 * (body + head) + 2 * config.num_hidden_layers * config.hidden_size * mean_length


def matrix_rate(model, dtype: str) -> float:
    """FLOP/s of the model's own commonest product: rows by hidden by intermediate."""
    import torch

    from workbench.models.runtime import torch_dtype

    config = model.config
    rows = 1024 if model.device.type == "cpu" else 16384
    k, n = config.hidden_size, getattr(config, "intermediate_size", 4 * config.hidden_size)
    a = torch.randn(rows, k, dtype=torch_dtype(dtype), device=model.device)
    b = torch.randn(n, k, dtype=torch_dtype(dtype), device=model.device)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(10):
            torch.nn.functional.linear(a, b)
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - start) / 10)
    return 2 * rows * k * n / best


if __name__ == "__main__":
    main()
