"""Which files make up a corpus, what each is called, and how its bytes are reached."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.core import url_to_fs

from workbench.errors import InputError

#: File endings that are read, and the format of each.
FORMATS: dict[str, str] = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl.gz",
    ".ndjson.gz": "jsonl.gz",
    ".jsonl.zst": "jsonl.zst",
    ".ndjson.zst": "jsonl.zst",
    ".csv": "csv",
}
READ = ", ".join(FORMATS)

_CHUNK_BYTES = 1 << 20
_LOCAL = "file://"
_digests: dict[tuple[object, ...], str] = {}


@dataclass(frozen=True)
class Shard:
    """One input file of a corpus.

    Attributes
    ----------
    name
        Path relative to the root of the corpus, "/"-separated; unique within the corpus.
    url
        Where the file is, as fsspec takes it.
    n_bytes
        Size of the file.
    format
        "parquet", "jsonl", "jsonl.gz", "jsonl.zst" or "csv".
    """

    name: str
    url: str
    n_bytes: int
    format: str
    # Left out of repr and comparison: it may hold credentials, and isn't part of what the shard is.
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def stem(self) -> str:
        """The file's name without its ending: the source of documents that name none."""
        base = posixpath.basename(self.name)
        return base[: len(base) - len(_ending(base) or "")] or "unnamed"

    def open(self) -> IO[bytes]:
        """The file's bytes, readable and seekable.

        Raises
        ------
        InputError
            If the file can't be opened.
        """
        try:
            if self.url.startswith(_LOCAL):
                return Path(self.url.removeprefix(_LOCAL)).open("rb")
            fs, path = url_to_fs(self.url, **self.storage_options)
            return fs.open(path, "rb")  # type: ignore[no-any-return]
        except (OSError, ValueError, ImportError) as error:
            raise self.unreadable(error) from error

    def stamp(self) -> tuple[object, ...]:
        """What changes when the file changes: all that its file system tells of it (size, time, inode, ETag).

        Raises
        ------
        InputError
            If the file is gone.
        """
        try:
            if self.url.startswith(_LOCAL):
                stat = Path(self.url.removeprefix(_LOCAL)).stat()
                return (self.url, stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)
            fs, path = url_to_fs(self.url, **self.storage_options)
            fs.invalidate_cache(fs._parent(path))
            info = fs.info(path)
        except (OSError, ValueError, ImportError) as error:
            raise self.unreadable(error) from error
        return (self.url, *sorted((str(key), str(value)) for key, value in info.items()))

    def digest(self) -> str:
        """SHA-256 (hex) of the file's bytes; worked out once a process, as long as the file stays as it is.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        stamp = self.stamp()
        if stamp not in _digests:
            digest = hashlib.sha256()
            try:
                with self.open() as file:
                    while chunk := file.read(_CHUNK_BYTES):
                        digest.update(chunk)
            except OSError as error:
                raise self.unreadable(error) from error
            _digests[stamp] = digest.hexdigest()
        return _digests[stamp]

    def unreadable(self, error: Exception) -> InputError:
        """The error that says this file can't be read."""
        return InputError(
            f"{self.url} can't be read ({one_line(error)}); check that the file is there and readable"
        )


def one_line(error: Exception) -> str:
    """An exception's text on one line, at most 200 characters: libraries put whole stories there."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def find_shards(
    paths: str | Path | Sequence[str | Path], storage_options: Mapping[str, Any] | None = None
) -> tuple[Shard, ...]:
    """The files behind a path, a folder, a glob or a list of those, sorted by name.

    Folders are read with all their subfolders; hidden files and folders and files of other endings are left
    out. A file that is named twice counts once.

    Raises
    ------
    InputError
        If something isn't there, if a file is named whose ending isn't read, or if there is no file at all.
    """
    options = dict(storage_options or {})
    items = [paths] if isinstance(paths, str | Path) else list(paths)
    roots: list[str] = []
    files: dict[str, tuple[str, int]] = {}
    for item in items:
        root, found = _expand(str(item), options)
        roots.append(root)
        files.update(found)
    if not files:
        given = ", ".join(str(item) for item in items) or "an empty list"
        raise InputError(f"no file to read in {given}; files ending in {READ} are read")
    base = _common(roots)
    names = {url: posixpath.relpath(path, base) if base else url for url, (path, _) in files.items()}
    if len(set(names.values())) < len(names):  # the same path on two file systems
        names = {url: url for url in files}
    shards = [
        Shard(names[url], url, size, FORMATS[_ending(path) or ""], options)
        for url, (path, size) in files.items()
    ]
    return tuple(sorted(shards, key=lambda shard: shard.name))


def _expand(item: str, options: dict[str, Any]) -> tuple[str, dict[str, tuple[str, int]]]:
    """For one item of the list: the folder names are relative to, and {url: (path, size)} of its files."""
    try:
        fs, path = url_to_fs(item, **options)
        fs.invalidate_cache()
        if fs.isfile(path):
            if _ending(path) is None:
                raise InputError(f"{item} has an ending that isn't read; files ending in {READ} are read")
            return posixpath.dirname(path), _described(fs, {path: fs.info(path)})
        if fs.isdir(path):
            return path.rstrip("/"), _described(fs, _walk(fs, path.rstrip("/")))
        if not any(mark in path for mark in "*?["):
            raise InputError(f"{item} isn't there; give a file, a folder or a glob of files ending in {READ}")
        root = _glob_root(path)
        found: dict[str, dict[str, Any]] = {}
        for match, info in fs.glob(path, detail=True).items():
            found |= _walk(fs, match) if info["type"] == "directory" else {match: info}
        return root, _described(fs, {f: i for f, i in found.items() if _is_shown(f, root) and _ending(f)})
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"{item} can't be read ({one_line(error)}); check the path and the access to it"
        ) from error


def _walk(fs: fsspec.AbstractFileSystem, folder: str) -> dict[str, dict[str, Any]]:
    """All files under a folder that are shown and have an ending that is read, with what is known of each."""
    found = fs.find(folder, detail=True)
    return {f: info for f, info in found.items() if _is_shown(f, folder) and _ending(f)}


def _described(
    fs: fsspec.AbstractFileSystem, found: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, int]]:
    return {fs.unstrip_protocol(path): (path, int(info["size"] or 0)) for path, info in found.items()}


def _is_shown(path: str, root: str) -> bool:
    """Whether no part of the path below `root` begins with a dot."""
    return not any(part.startswith(".") for part in posixpath.relpath(path, root or "/").split("/"))


def _ending(path: str) -> str | None:
    """The longest known ending of a path, as it stands in FORMATS; None if there is none."""
    low = path.lower()
    return max((ending for ending in FORMATS if low.endswith(ending)), key=len, default=None)


def _glob_root(path: str) -> str:
    """The folders of a glob that come before its first wildcard."""
    parts = path.split("/")
    first = next(i for i, part in enumerate(parts) if any(mark in part for mark in "*?["))
    return "/".join(parts[:first])


def _common(roots: list[str]) -> str:
    """The deepest folder that holds all roots; "" if there is none (then names are whole paths)."""
    try:
        return posixpath.commonpath(roots)
    except ValueError:  # absolute paths beside relative ones: several file systems in one list
        return ""
