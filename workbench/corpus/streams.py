"""The bytes of a shard as decompressed blocks and lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from workbench.corpus.shards import Shard, one_line

# Reads of 256 KiB keep a line's pieces in the processor's cache; larger ones were no faster.
_BLOCK_BYTES = 1 << 18
_COMPRESSIONS = {"jsonl.gz": "gzip", "jsonl.zst": "zstd"}
_BOM = b"\xef\xbb\xbf"


class BrokenStream(Exception):
    """The file ends early or is damaged; the reader that knows the row turns it into an InputError."""


class ShardStream:
    """The decompressed bytes of a shard. Use it in a `with`."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._raw = shard.open()
        self._n_out = 0

    def __enter__(self) -> ShardStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def position(self) -> int:
        """Bytes of the file (as it lies there) that have been read so far."""
        return 0 if self._raw.closed else int(self._raw.tell())

    def blocks(self) -> Iterator[bytes]:
        """The bytes in blocks.

        Raises
        ------
        BrokenStream
            After the last byte that could be had, if the file is truncated, damaged or can't be read.
        """
        try:
            stream = self._decompressed()
            while block := stream.read(_BLOCK_BYTES):
                self._n_out += len(block)
                yield block
        except (OSError, ValueError) as error:
            if self._shard.format in _COMPRESSIONS:
                yield self._tail()
            raise BrokenStream(one_line(error)) from error

    def line_lists(self, max_line_bytes: int) -> Iterator[list[bytes]]:
        """The lines, a list at a time, without their line feeds.

        A line longer than `max_line_bytes` comes cut, yet still longer than that: so it can be told, and a
        file without any line feed is still read in bounded memory.

        Raises
        ------
        BrokenStream
            After the last whole line, if the file is truncated, damaged or can't be read.
        """
        pending: list[bytes] = []
        n_pending = 0
        is_first = True
        for block in self.blocks():
            if is_first:
                block, is_first = block.removeprefix(_BOM), False
            lines = block.split(b"\n")
            if n_pending <= max_line_bytes:
                pending.append(lines[0])
                n_pending += len(lines[0])
            if len(lines) == 1:
                continue
            lines[0] = b"".join(pending)
            last = lines.pop()
            pending, n_pending = [last], len(last)
            yield lines
        if n_pending:
            yield [b"".join(pending)]

    def _decompressed(self) -> pa.NativeFile:
        source = pa.PythonFile(self._raw, mode="r")
        compression = _COMPRESSIONS.get(self._shard.format)
        # Arrow's stream raises at a truncated frame; zstandard's stream_reader ends as if all were well.
        return pa.CompressedInputStream(source, compression) if compression else source

    def _tail(self) -> bytes:
        """The bytes between the last whole block and the damage, which the failed read swallowed."""
        self._raw.seek(0)
        tail = bytearray()
        try:
            stream = self._decompressed()
            skip = self._n_out
            while skip and (block := stream.read(min(skip, _BLOCK_BYTES))):
                skip -= len(block)
            while byte := stream.read(1):
                tail += byte
        except (OSError, ValueError):
            pass
        return bytes(tail)
