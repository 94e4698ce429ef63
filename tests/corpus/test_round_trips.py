"""Any text at all, in every format: the same documents and the same sample."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus.writers import FORMATS, frame_of, write
from workbench.corpus import read, read_sample

# All of Unicode but lone surrogates, which no UTF-8 file can hold.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
# csv has no way to tell a field from a missing one, so sources there are never empty.
ROWS = st.lists(st.tuples(TEXT, st.sampled_from(["web", "böök", "a,b\n\"c'"])), min_size=1, max_size=25)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.integers(2, 20), st.integers(0, 3))
def test_every_format_gives_the_same_documents_and_sample(
    rows: list[tuple[str, str]], n: int, seed: int
) -> None:
    documents = [{"text": text, "source": source} for text, source in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n = max(n, 6)
        frames, samples = [], []
        for kind in FORMATS:
            corpus = read(write(folder / kind, documents))
            frame = frame_of(corpus, max_rows=4)
            assert frame.select("text", "source").rows() == rows
            frames.append(frame)
            samples.append(corpus.sample(n, seed=seed))
            assert corpus.sample(n, seed=seed, by=None).design.n_quarantined == 0
        assert all(frame.equals(frames[0]) for frame in frames)
        assert len({sample.fingerprint for sample in samples}) == 1
        samples[0].write(folder / "s" / "s.parquet")
        assert read_sample(folder / "s" / "s.parquet").fingerprint == samples[0].fingerprint


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=300), st.sampled_from(["a.jsonl", "a.csv", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"])
)
def test_any_bytes_give_rows_or_one_clear_error(raw: bytes, name: str) -> None:
    from workbench.errors import InputError

    with tempfile.TemporaryDirectory() as folder:
        for prefix in (b"", b'{"text": "x"}\n', b"text,n\nx,1\n"):
            (Path(folder) / name).write_bytes(prefix + raw)
            try:
                sample = read(folder).whole()
            except InputError as error:
                assert str(error)  # noqa: PT017 - which error it is depends on the bytes
            else:
                assert len(sample) + sample.design.n_quarantined > 0
