from __future__ import annotations

import numpy as np
import pytest
import tokenizers

from workbench.errors import ModelError
from workbench.models import tokens
from workbench.models.locate import locate
from workbench.models.token_cache import TokenCache
from workbench.models.tokens import FileTokenizer, load_backend, safe_pieces, starting_token, untrimmed


def plain(located):
    backend = tokenizers.Tokenizer.from_file(str(located.folder / "tokenizer.json"))
    backend.encode_special_tokens = True
    return backend


def test_counts_are_those_of_the_tokenizer_itself(tiny_llama, texts):
    texts = ["", *texts]
    expected = [len(plain(tiny_llama).encode(text).ids) for text in texts]
    counts = FileTokenizer(tiny_llama).count(texts)
    assert counts.dtype == np.int64
    assert counts.tolist() == expected
    assert counts[0] == 0


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_tokens_that_are_only_counted_are_held_on_disk_or_not_at_all(tiny_llama, texts, tmp_path, is_on_disk):
    cache = TokenCache(tmp_path if is_on_disk else None)
    tokenizer = FileTokenizer(tiny_llama, cache=cache)
    texts = [*texts, "a lone \ud800 surrogate"]
    counts = tokenizer.count(texts)
    assert len(list(tmp_path.iterdir())) == is_on_disk
    tokenizer.keep(texts, 9)
    assert cache.n_found == is_on_disk
    # What a model has asked for is there to be counted.
    assert tokenizer.count(texts).tolist() == counts.tolist()
    assert cache.n_found == is_on_disk + 1


def test_what_looks_like_a_special_token_is_text(tiny_llama):
    (kept,) = FileTokenizer(tiny_llama).keep(["<|endoftext|>"], 99)
    assert kept.n_tokens > 1
    assert 0 not in kept.ids


@pytest.mark.parametrize("separator", [" ", "\n", "。"])
def test_a_long_text_is_cut_into_pieces_that_give_the_same_tokens(tiny_llama, texts, monkeypatch, separator):
    text = separator.join(texts) * 40
    expected = plain(tiny_llama).encode(text).ids
    monkeypatch.setattr(tokens, "PIECE_CHARS", 1000)
    monkeypatch.setattr(tokens, "BATCH_CHARS", 3000)
    tokenizer = FileTokenizer(tiny_llama)
    pieces = list(safe_pieces(tokenizer.backend, text))
    assert len(pieces) > 20
    assert "".join(piece for _, piece in pieces) == text
    assert all(text[start : start + len(piece)] == piece for start, piece in pieces)
    kept, small = tokenizer.keep([text, "a b"], 10**9)
    assert kept.ids.tolist() == expected
    assert kept.n_bytes == len(text.encode())
    assert small.ids.tolist() == plain(tiny_llama).encode("a b").ids
    assert tokenizer.count([text, "a b"]).tolist() == [len(expected), small.n_tokens]


def test_a_tokenizer_that_merges_across_words_gets_its_text_in_one_piece(monkeypatch):
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=60, show_progress=False)
    backend.train_from_iterator(["ab cd " * 50] * 3, trainer)
    monkeypatch.setattr(tokens, "PIECE_CHARS", 20)
    text = "ab cd " * 30
    assert list(safe_pieces(backend, text)) == [(0, text)]


@pytest.mark.parametrize("max_tokens", [1, 5, 64])
def test_kept_bytes_are_those_of_the_kept_tokens(tiny_llama, texts, max_tokens):
    backend = untrimmed(load_backend(tiny_llama))
    for text, kept in zip(texts, FileTokenizer(tiny_llama).keep(texts, max_tokens), strict=True):
        ids = plain(tiny_llama).encode(text).ids
        assert kept.ids.tolist() == ids[:max_tokens]
        assert kept.n_tokens == len(ids)
        # Byte-level tokens spell bytes, one character a byte; a character that is cut counts whole.
        exact = sum(len(backend.id_to_token(i)) for i in ids[:max_tokens])
        assert exact <= kept.n_bytes <= exact + 3


def test_a_tokenizer_that_prepends_nothing_has_no_starting_token(tiny_llama):
    assert starting_token(load_backend(tiny_llama)) is None


def test_a_folder_without_a_tokenizer_is_refused_in_one_sentence(tiny_llama, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_llama.folder / name).read_bytes())
    with pytest.raises(ModelError, match=r"has no tokenizer that can be read.*add its tokenizer\.json"):
        load_backend(locate(str(tmp_path), "lm"))
