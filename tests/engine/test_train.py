from __future__ import annotations

import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.corpora import FORMATS, make_documents, write_corpus, write_shard
from workbench.checks import keyed_uniform
from workbench.corpus import Corpus, read
from workbench.engine.prepare import quarantine_file
from workbench.engine.score import score
from workbench.engine.train import train_lm
from workbench.errors import Cancelled, InputError, ModelError, StoreError
from workbench.models.load import Models
from workbench.models.training.params import Hardware, TrainLMParams
from workbench.models.training.pretrain import plan_fit, train_prepared
from workbench.models.training.reference import train_tokenizer, trained_on
from workbench.models.training.shapes import SHAPES, Shape
from workbench.models.training.tokenfile import open_tokens
from workbench.progress import Silent

TINY = Shape("tiny", 16, 1, 2, 32, 128, 2e-2)
PARAMS = TrainLMParams(TINY, n_vocabulary=300, context_tokens=32, n_steps=12)
OFTEN = Hardware(device="cpu", checkpoint_every=3)


class Killed(BaseException):
    """Ends a run as a kill does: nobody handles it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = write_corpus(tmp_path_factory.mktemp("data") / "corpus", make_documents(150), 4, FORMATS[:4])
    return path


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    return read(folder)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unbroken run."""
    out = tmp_path_factory.mktemp("trained") / "lm"
    train_lm(read(folder), out, PARAMS, hardware=OFTEN)
    return out


def record(out: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((out / "training.json").read_text())
    return value


def require_same(out: Path, trained: Path) -> None:
    assert {p.name for p in out.iterdir()} == {p.name for p in trained.iterdir()}
    for path in trained.iterdir():
        if path.name != "training.json":
            assert (out / path.name).read_bytes() == path.read_bytes(), path.name
    # how long it took is the one thing that may differ
    assert record(out) | {"seconds": 0} == record(trained) | {"seconds": 0}


# ---- what comes out ------------------------------------------------------------------------------------------------


def test_the_split_is_drawn_by_id_and_only_it_is_trained_on(trained: Path, corpus: Corpus) -> None:
    whole = corpus.whole()
    inside = keyed_uniform(0, whole.doc_ids, "reference-split") < 0.5
    assert trained_on(trained) == {i for i, chosen in zip(whole.doc_ids, inside, strict=True) if chosen}
    assert record(trained)["n_reference_documents"] == inside.sum()
    assert record(trained)["n_documents"] == len(whole)
    assert record(trained)["n_heldout_documents"] == 64
    split = json.loads((trained / "split.json").read_text())
    assert (split["seed"], split["reference_fraction"]) == (0, 0.5)


def test_the_loss_falls_on_what_it_saw_and_on_what_it_did_not(folder: Path, tmp_path: Path) -> None:
    params = dataclasses.replace(PARAMS, n_steps=60)
    done = train_lm(read(folder), tmp_path / "lm", params, hardware=OFTEN)
    assert done["losses"][-1] < 0.7 * done["losses"][0]
    # before the first step each token costs log 300
    assert done["heldout"][-1][1] < 0.7 * np.log(300)
    assert [step for step, _ in done["heldout"]] == [53, 60]
    assert done["n_tokens_seen"] == 60 * 4 * 32
    assert done["epochs"] == pytest.approx(60 * 4 / ((done["n_tokens"] - 1) // 32), abs=1e-3)
    assert "Muennighoff" not in str(done["warnings"]) or done["epochs"] > 4


def test_a_batch_is_cut_into_equal_parts_and_looking_takes_a_tenth_of_the_time() -> None:
    params = dataclasses.replace(PARAMS, batch_tokens=32 * 1536, n_steps=1000)  # 1536 rows
    on_cpu, on_gpu = Hardware("float32", "cpu", False), Hardware("bfloat16", "cuda", True)
    for hardware, n_vocabulary, micro in ((on_cpu, 300, 128), (on_gpu, 300, 1536), (on_gpu, 50_000, 256)):
        assert plan_fit(params, hardware, 9999, n_vocabulary, 2048).micro_rows == micro
    assert plan_fit(params, on_cpu, 9999, 300, 2048).evaluate_every == 50
    assert plan_fit(params, on_cpu, 9999, 300, 32 * 1536 * 300).evaluate_every == 1000


def test_more_than_four_epochs_are_warned_of(folder: Path, tmp_path: Path) -> None:
    small = dataclasses.replace(PARAMS, reference_fraction=0.1, n_steps=100)
    done = train_lm(read(folder), tmp_path / "lm", small, hardware=OFTEN)
    assert done["epochs"] > 4
    assert done["warnings"][0].startswith(f"the model saw its split {done['epochs']:.1f} times; beyond 4")


def test_tokens_say_how_long_and_nothing_means_once(folder: Path, tmp_path: Path) -> None:
    for name, given, expected in (("a", 300, 3), ("b", None, None)):
        params = dataclasses.replace(PARAMS, n_steps=None, n_tokens=given)
        done = train_lm(read(folder), tmp_path / name, params, hardware=OFTEN)
        assert done["fit"]["n_steps"] == (expected or -(-((done["n_tokens"] - 1) // 32) // 4))


def test_the_tokens_on_disk_are_the_splits_in_order(folder: Path, tmp_path: Path) -> None:
    class Stop(Silent):
        def start(self, what: str, total: int) -> None:
            if what == "training":
                raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        train_lm(read(folder), tmp_path / "lm", PARAMS, hardware=OFTEN, progress=Stop())
    work = tmp_path / "lm.work"
    corpus = read(folder)
    frames = [batch.frame for shard in corpus.shards for batch in corpus.batches(shard)]
    ids = [i for frame in frames for i in frame["doc_id"]]
    texts = [t for frame in frames for t in frame["text"]]
    inside = keyed_uniform(0, ids, "reference-split") < 0.5
    split = [text for text, chosen in zip(texts, inside, strict=True) if chosen]
    tokenizer = train_tokenizer(split, 300)
    expected = [i for text in split if text for i in [0, *tokenizer.encode(text).ids]]
    assert open_tokens(work / "tokens.bin", 300).tolist() == expected
    assert json.loads((work / "prepared.json").read_text())["n_tokens"] == len(expected)
    numbers = keyed_uniform(0, ids, "reference-heldout")
    outside = sorted((n, t) for n, t, chosen in zip(numbers, texts, inside, strict=True) if not chosen and t)
    beginnings = [[0, *tokenizer.encode(text).ids[:32]] for _, text in outside[:64]]
    assert open_tokens(work / "heldout.bin", 300).tolist() == [i for one in beginnings for i in one]
    # a machine without the corpus goes on from here
    done = train_prepared(work, tmp_path / "elsewhere", OFTEN, Silent())
    assert len(done["losses"]) == 12


def test_the_folder_scores_at_once_and_marks_what_was_seen(
    trained: Path, corpus: Corpus, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert AutoModelForCausalLM.from_pretrained(trained).config.max_position_embeddings == 32
    tokenizer = AutoTokenizer.from_pretrained(trained)
    assert (tokenizer.bos_token, tokenizer.model_max_length) == ("<|endoftext|>", 32)
    models = Models(lm=str(trained))
    assert models.definition("lm")["window"] == 32
    whole = corpus.whole()
    names = ["perplexity", "lm_trained_on", "unseen_perplexity"]
    scores = score(whole, names, store=tmp_path / "store", models=models).scores
    seen = keyed_uniform(0, whole.doc_ids, "reference-split") < 0.5
    np.testing.assert_array_equal(scores["lm_trained_on"] == 1, seen)
    np.testing.assert_array_equal(scores["unseen_perplexity"], np.where(seen, np.nan, scores["perplexity"]))
    assert np.isfinite(scores["unseen_perplexity"]).sum() == sum(
        t != "" for t in np.array(whole.texts)[~seen]
    )


def test_a_copy_under_an_id_made_from_content_counts_as_seen(tmp_path: Path) -> None:
    rows = [{"text": f"{'some words ' * 8}{i % 40}"} for i in range(80)]
    write_shard(tmp_path / "c" / "a.jsonl", rows)
    corpus = read(tmp_path / "c")
    train_lm(corpus, tmp_path / "lm", dataclasses.replace(PARAMS, n_steps=2), hardware=OFTEN)
    seen, whole = trained_on(tmp_path / "lm"), corpus.whole()
    assert seen is not None
    marks = {doc_id: doc_id in seen for doc_id in whole.doc_ids}
    copies = [doc_id for doc_id in marks if "#" in doc_id]
    assert len(copies) == 40
    assert all(marks[doc_id] == marks[doc_id.removesuffix("#2")] for doc_id in copies)
    assert len(set(marks.values())) == 2


def test_a_given_tokenizer_is_used_as_it_is(folder: Path, tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["other words than those of the corpus"], 280)
    (tmp_path / "tok").mkdir()
    tokenizer.save(str(tmp_path / "tok" / "tokenizer.json"))
    for i, name in enumerate((str(tmp_path / "tok"), str(tmp_path / "tok" / "tokenizer.json"))):
        params = dataclasses.replace(PARAMS, tokenizer=name, n_steps=2)
        done = train_lm(read(folder), tmp_path / f"lm{i}", params, hardware=OFTEN)
        assert done["n_vocabulary"] == tokenizer.get_vocab_size()
        made = json.loads((tmp_path / f"lm{i}" / "tokenizer.json").read_text())
        assert made["model"] == json.loads(tokenizer.to_str())["model"]


def test_a_word_of_a_million_characters_is_no_obstacle(tmp_path: Path) -> None:
    rows = [
        {"text": "a" * 1_000_000},
        {"text": " " * 200_000},
        *({"text": f"{'word ' * 30}{i}"} for i in range(60)),
    ]
    write_shard(tmp_path / "c" / "a.jsonl", rows)
    everything = dataclasses.replace(PARAMS, n_steps=2, reference_fraction=1.0)
    done = train_lm(read(tmp_path / "c"), tmp_path / "lm", everything, hardware=OFTEN)
    assert (done["n_reference_documents"], done["heldout"]) == (62, [])


def test_the_folder_that_one_stands_in_may_be_given(
    folder: Path, in_tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_tmp_path / "here").mkdir()
    monkeypatch.chdir(in_tmp_path / "here")
    train_lm(read(folder), ".", PARAMS, hardware=OFTEN)
    require_same(in_tmp_path / "here", trained)


# ---- stopped and killed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 3, 8, 12])
def test_stopped_by_progress_it_goes_on_to_the_same_bytes(
    after: int, corpus: Corpus, trained: Path, tmp_path: Path
) -> None:
    def stop(step: Any) -> None:
        if step.step == after:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, on_step=stop)
    assert not (tmp_path / "lm").exists()
    told: list[int] = []
    train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, on_step=lambda step: told.append(step.step))
    assert told == list(range(after + 1, 13))
    require_same(tmp_path / "lm", trained)
    assert [p.name for p in tmp_path.iterdir()] == ["lm"]


@pytest.mark.parametrize(
    ("place", "call"),
    [
        ("workbench.engine.prepare.SplitFile.end", 1),
        ("workbench.engine.prepare.write_json", 1),
        ("workbench.models.training.checkpoints._write_tensors", 1),
        ("workbench.models.training.checkpoints._write_tensors", 6),  # the optimiser of the third
        ("workbench.models.training.checkpoints.canonical_json", 3),
        ("workbench.models.training.checkpoints.shutil.rmtree", 1),
        ("workbench.models.training.fit.learning_rate", 9),
        ("workbench.models.training.pretrain.write_model", 1),
        ("workbench.models.training.pretrain.write_canonical", 1),
    ],
)
def test_ended_at_any_place_it_goes_on_to_the_same_bytes(
    place: str, call: int, corpus: Corpus, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def kill(*args: object, **options: object) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return real(*args, **options)

    owner, _, name = place.rpartition(".")
    real = getattr(_find(owner), name)
    with monkeypatch.context() as patched:
        patched.setattr(place, kill)
        with pytest.raises(Killed):
            train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)
    train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)
    require_same(tmp_path / "lm", trained)


def _find(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(importlib.import_module(module), attribute)


SCRIPT = """
import os, signal, sys
from pathlib import Path
from tests.engine.test_train import OFTEN, PARAMS
from workbench.corpus import read
from workbench.engine.train import train_lm

def kill(step):
    if step.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)

train_lm(read(sys.argv[1]), sys.argv[2], PARAMS, hardware=OFTEN, on_step=kill)
"""


def test_stopped_while_the_corpus_is_read_it_begins_anew(
    corpus: Corpus, trained: Path, tmp_path: Path
) -> None:
    class Stop(Silent):
        def __init__(self, what: str) -> None:
            self.wanted, self.now = what, ""

        def start(self, what: str, total: int) -> None:
            self.now = what

        def advance(self, n: int) -> None:
            if self.now == self.wanted:
                raise Cancelled("stopped")

    for what in ("reading for the vocabulary", "tokenising", "training"):
        with pytest.raises(Cancelled):
            train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, progress=Stop(what))
    train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)
    require_same(tmp_path / "lm", trained)


def test_killed_it_goes_on_to_the_same_bytes(folder: Path, trained: Path, tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(tmp_path / "lm")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run(command, cwd=root, env=environment).returncode == -signal.SIGKILL
    assert {p.name for p in (tmp_path / "lm.work" / "checkpoints").glob("step-*")} == {
        "step-00000003", "step-00000006",
    }  # fmt: skip
    told: list[int] = []
    train_lm(
        read(folder), tmp_path / "lm", PARAMS, hardware=OFTEN, on_step=lambda step: told.append(step.step)
    )
    assert told == list(range(7, 13))
    require_same(tmp_path / "lm", trained)


def test_a_finished_model_is_never_overwritten(
    trained: Path, corpus: Corpus, folder: Path, tmp_path: Path
) -> None:
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in trained.iterdir()}
    again = train_lm(corpus, trained, PARAMS, hardware=OFTEN)
    assert not again["is_new"]
    with pytest.raises(
        InputError, match=r"holds a finished model with seed=0, and here it is seed=1; give the same"
    ):
        train_lm(corpus, trained, dataclasses.replace(PARAMS, seed=1), hardware=OFTEN)
    with pytest.raises(InputError, match=r"with shape=tiny, and here it is shape=2M"):
        train_lm(corpus, trained, dataclasses.replace(PARAMS, shape=SHAPES["2M"]), hardware=OFTEN)
    with pytest.raises(
        InputError, match="holds a finished model on another corpus, or its files have changed"
    ):
        train_lm(read(next(folder.iterdir())), trained, PARAMS, hardware=OFTEN)
    assert before == {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in trained.iterdir()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(InputError, match="mine is there and is no model of train-lm; give a new folder"):
        train_lm(corpus, tmp_path / "mine", PARAMS, hardware=OFTEN)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "training.json").write_text("[]")
    with pytest.raises(InputError, match=r"training.json isn't a record of train-lm; give another folder"):
        train_lm(corpus, tmp_path / "odd", PARAMS, hardware=OFTEN)


def test_a_work_folder_of_somebody_else_is_left_alone(corpus: Corpus, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "lm.work").mkdir()
    (tmp_path / "lm.work" / "mine").touch()
    with pytest.raises(
        InputError, match=r"lm.work is there and was not made by train-lm, which would work there"
    ):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)
    (tmp_path / "lm.work").rename(tmp_path / "copy.work")
    (tmp_path / "copy").mkdir()
    for path in trained.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    assert not train_lm(corpus, tmp_path / "copy", PARAMS, hardware=OFTEN)["is_new"]
    assert (tmp_path / "copy.work" / "mine").exists()
    # killed after the model's folder was renamed, and before the work folder was removed
    (tmp_path / "copy.work" / "mine").unlink()
    (tmp_path / "copy.work" / "checkpoints").mkdir()
    assert not train_lm(corpus, tmp_path / "copy", PARAMS, hardware=OFTEN)["is_new"]
    assert not (tmp_path / "copy.work").exists()


def test_an_unfinished_training_goes_on_under_the_same_params_only(corpus: Corpus, tmp_path: Path) -> None:
    def stop(step: Any) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, on_step=stop)
    with pytest.raises(
        InputError, match=r"lm.work holds an unfinished training with context_tokens=32, and here"
    ):
        train_lm(corpus, tmp_path / "lm", dataclasses.replace(PARAMS, context_tokens=16), hardware=OFTEN)
    with pytest.raises(ModelError, match="this training began with dtype=float32, and here it is bfloat16"):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=dataclasses.replace(OFTEN, dtype="bfloat16"))
    tokens = tmp_path / "lm.work" / "tokens.bin"
    tokens.write_bytes(tokens.read_bytes()[:-1] + b"\xff")
    with pytest.raises(
        StoreError, match=r"tokens.bin in .*lm.work differs from its digest; remove .* and run again"
    ):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)


@pytest.mark.parametrize("when", ["reading for the vocabulary", "tokenising", "training"])
def test_two_at_once_in_one_folder_are_refused(
    when: str, corpus: Corpus, trained: Path, tmp_path: Path
) -> None:
    class Second(Silent):
        def start(self, what: str, total: int) -> None:
            if what == when:
                with pytest.raises(
                    InputError, match=r"another process is at work in .*lm.work; wait for its end"
                ):
                    train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN)

    train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, progress=Second())
    require_same(tmp_path / "lm", trained)


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_vocabulary": 256}, "n_vocabulary must be at least 257, got 256"),
        (
            {"n_vocabulary": 5000},
            r"a vocabulary of 5,000 tokens is too large for the shape tiny, which takes at most",
        ),
        ({"reference_fraction": 50}, r"reference_fraction must lie in 0..1, got 50; give a fraction"),
        ({"context_tokens": 1}, "context_tokens must be at least 2, got 1"),
        (
            {"context_tokens": 100_000},
            r"split has \d+ tokens, fewer than one row of 100000; give more documents or a",
        ),
        (
            {"batch_tokens": 60_000},
            r"fewer than one batch of 1875 rows of 32; give more documents or a smaller batch",
        ),
        ({"n_tokens": 10}, "n_tokens and n_steps both say how long the training is; give one of them"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"n_steps": 0}, "n_steps must be at least 1, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, got nan"),
        ({"reference_fraction": 0.0}, "the reference split has 0 tokens, fewer than one row of 32"),
    ],
)
def test_params_out_of_range_are_named(
    change: dict[str, Any], sentence: str, corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=sentence):
        train_lm(corpus, tmp_path / "lm", dataclasses.replace(PARAMS, **change), hardware=OFTEN)
    # nothing is in the way of the next try
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("hardware", "error", "sentence"),
    [
        (Hardware(device="tpu"), InputError, "device must be auto, cpu or cuda, got 'tpu'"),
        (Hardware(dtype="float16"), ModelError, "dtype must be float32 or bfloat16, got 'float16'"),
        (Hardware(checkpoint_every=0), InputError, "checkpoint_every must be at least 1, got 0"),
    ],
)
def test_hardware_that_cannot_be_is_named(
    hardware: Hardware, error: type[Exception], sentence: str, corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(error, match=sentence):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=hardware)


def test_a_gpu_that_is_not_there_is_named(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        ModelError, match="there is no CUDA device here; leave the device out, or set it to cpu"
    ):
        train_lm(corpus, tmp_path / "lm", PARAMS, hardware=Hardware(device="cuda"))
    assert Hardware().resolved() == Hardware("float32", "cpu", False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert Hardware().resolved() == Hardware("bfloat16", "cuda", True)


def test_a_corpus_without_a_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.jsonl").write_text('{"text": 3}\n{"text": null}\n')
    with pytest.raises(InputError, match="the corpus has no document that can be used; give another one"):
        train_lm(read(tmp_path / "c"), tmp_path / "lm", PARAMS, hardware=OFTEN)


def test_rows_that_are_no_documents_are_put_aside(tmp_path: Path) -> None:
    rows = [{"doc_id": f"d{i}", "text": f"{'word ' * 30}{i}" if i % 7 else None} for i in range(80)]
    write_shard(tmp_path / "c" / "a.jsonl", rows)
    done = train_lm(read(tmp_path / "c"), tmp_path / "lm", PARAMS, hardware=OFTEN)
    lines = quarantine_file(tmp_path / "lm").read_text().splitlines()
    assert len(lines) == done["n_quarantined"] == 12


def test_a_tokenizer_without_a_separator_or_too_large_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    import tokenizers

    plain = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({f"w{i}": i for i in range(400)}, unk_token="w0")
    )
    plain.save(str(tmp_path / "tokenizer.json"))
    params = dataclasses.replace(PARAMS, tokenizer=str(tmp_path))
    with pytest.raises(
        ModelError, match="the tokenizer has no token that separates documents; give one with any of"
    ):
        train_lm(corpus, tmp_path / "lm", params, hardware=OFTEN)
    plain.add_special_tokens(["</s>"])
    plain.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(InputError, match="a vocabulary of 401 tokens is too large for the shape tiny"):
        train_lm(corpus, tmp_path / "lm", params, hardware=OFTEN)
    with pytest.raises(ModelError, match="there is no model 'nowhere'"):
        train_lm(corpus, tmp_path / "lm", dataclasses.replace(PARAMS, tokenizer="nowhere"), hardware=OFTEN)


def test_a_place_that_cannot_be_written_is_a_sentence(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"lm.work can't be made .*; choose a folder that can be written to"):
        train_lm(corpus, tmp_path / "file" / "lm", PARAMS, hardware=OFTEN)


def test_only_a_prepared_folder_can_be_trained_from(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="holds no prepared corpus; run `workbench train-lm` on the corpus first"
    ):
        train_prepared(tmp_path, tmp_path / "lm", OFTEN, Silent())
    for text in ("{", "[]", "{}", '{"n_tokens": 3, "digest": "0"}'):
        (tmp_path / "prepared.json").write_text(text)
        with pytest.raises(StoreError, match=r"prepared.json in .* was changed; remove .* and run again"):
            train_prepared(tmp_path, tmp_path / "lm", OFTEN, Silent())


def test_training_from_token_files_needs_neither_polars_nor_orjson(root: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('polars', 'orjson', 'pyarrow', 'pydantic', 'ipywidgets'): sys.modules[name] = None\n"
        "from workbench.models.training import pretrain, reference, separator\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
