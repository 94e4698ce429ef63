"""A trained model as a folder in transformers' format, written aside and then renamed."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.checks import canonical_json
from workbench.errors import StoreError
from workbench.files import PARTIAL
from workbench.models.runtime import quiet


@contextmanager
def folder_aside(out: Path, *, replaces: bool) -> Iterator[Path]:
    """Give a new folder beside `out` to write to; on leaving it is renamed to `out`.

    Parameters
    ----------
    replaces
        Whether an `out` that is there goes away with all that it holds; else only an empty one does.

    Raises
    ------
    StoreError
        If the disk is full or can't be written, or `out` holds something and isn't to be replaced.
    """
    from safetensors import SafetensorError

    aside = out.with_name(out.name + PARTIAL)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside
        if replaces:
            shutil.rmtree(out, ignore_errors=True)
        elif out.exists():
            out.rmdir()
        aside.rename(out)
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"the model can't be written to {out}: {why}; free space or choose another folder, then run again"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_model(model: Any, tokenizer: Any, folder: Path, separator: str) -> None:
    """Write weights (in bfloat16), configuration and tokenizer; `separator` begins and ends documents."""
    import torch

    with quiet():
        model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Not by its own `save`, whose exceptions don't say that a disk is full.
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": separator, "eos_token": separator}
    longest = model.config.max_position_embeddings
    write_canonical(folder / "tokenizer_config.json", special | {"model_max_length": longest})


def write_canonical(path: Path, value: object) -> None:
    """Write canonical JSON and a final newline."""
    path.write_text(canonical_json(value) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Of the libraries that decide a training's numbers."""
    return {
        name: importlib.metadata.version(name) for name in ("torch", "transformers", "tokenizers", "numpy")
    }
