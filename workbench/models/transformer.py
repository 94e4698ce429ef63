"""A transformers model read from a folder or a GGUF file: its settings, and its weights."""

from __future__ import annotations

import contextlib
import io
from typing import Any, Literal

from workbench.errors import ModelError
from workbench.models.gguf_file import read_once
from workbench.models.locate import Located
from workbench.models.runtime import quiet, read_settings, reason, torch_dtype


def load_transformer(located: Located, dtype: str, where: str, head: Literal["causal", "none"]) -> Any:
    """The model in evaluation mode on a device; weights come from safetensors or GGUF only.

    Raises
    ------
    ModelError
        If it can't be loaded as what is asked for.
    """
    import transformers

    kind = transformers.AutoModelForCausalLM if head == "causal" else transformers.AutoModel
    options: dict[str, Any] = {"use_safetensors": True}
    if located.gguf is not None:
        # Unpacked to plain layers: packed kernels would be others on each machine.
        unpacked = transformers.GgufConfig(dequantize=True)
        options = {"gguf_file": located.gguf, "quantization_config": unpacked}
    try:
        # The GGUF reader draws a bar of its own.
        with quiet(), contextlib.redirect_stderr(io.StringIO()), read_once(located.gguf):
            model: Any = kind.from_pretrained(
                str(located.folder),
                dtype=torch_dtype(dtype),
                local_files_only=True,
                trust_remote_code=False,
                **options,
            )
    except Exception as error:
        what = "a causal language model" if head == "causal" else "a language model"
        raise ModelError(
            f"model {located.id!r} can't be loaded as {what} ({reason(error)}); "
            "give the folder of one in transformers' format"
        ) from error
    return model.to(where).eval()


def read_config(located: Located) -> dict[str, Any]:
    """The model's settings, those of the text part where it has several.

    Raises
    ------
    ModelError
        If the file can't be read.
    """
    if located.gguf is None:
        config = read_settings(located.folder / "config.json")
        return dict(config.get("text_config") or config)
    from transformers import AutoConfig

    try:
        with quiet(), read_once(located.gguf):
            found = AutoConfig.from_pretrained(
                str(located.folder), gguf_file=located.gguf, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        raise ModelError(
            f"{located.gguf} can't be read as a GGUF model ({reason(error)}); choose another file"
        ) from error
    return dict(found.to_dict())


def changes_itself(model: Any) -> bool:
    """Whether a forward pass changes the model, so that two must not run at once.

    Rotary positions of the kinds "dynamic" and "longrope" depend on a batch's longest row, and are kept in the model.
    """
    kinds: set[str] = set()
    for module in model.modules():
        kind = getattr(module, "rope_type", None)
        kinds.update(kind.values() if isinstance(kind, dict) else [kind] if isinstance(kind, str) else [])
    return any("dynamic" in kind or kind == "longrope" for kind in kinds)
