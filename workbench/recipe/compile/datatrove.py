"""A manifest as a datatrove pipeline."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import InputError
from workbench.recipe.schema import Manifest

_SCRIPT = '''\
"""What a selection manifest keeps of a corpus, by datatrove: python THIS_FILE CORPUS OUT [TASKS]

CORPUS is a folder of .parquet files, or of .jsonl, .jsonl.gz or .jsonl.zst. OUT gets kept/ and dropped/ (jsonl.gz),
each dropped document with its step and reason. datatrove's readers leave out documents without text, about which
`workbench apply` decides; and it has no quarantine: what can't be scored is dropped as "unscored".
"""

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader, ParquetReader
from datatrove.pipeline.writers import JsonlWriter

from workbench.engine.datatrove import ManifestFilter

MANIFEST = {manifest!r}
TEXT, ID, SOURCE = "text", "doc_id", "source"  # the corpus's columns


def pipeline(corpus: str, out: str) -> list:
    files = [path for path in Path(corpus).rglob("*") if path.is_file()]
    is_parquet = bool(files) and files[0].suffix == ".parquet"
    endings = (".parquet",) if is_parquet else (".jsonl", ".jsonl.gz", ".jsonl.zst")
    other = [path.name for path in files if not path.name.endswith(endings)]
    if other or not files:
        sys.exit(f"{{corpus}} must hold files of one kind, parquet or jsonl; move {{other[:3]!r}} elsewhere")
    reader = ParquetReader if is_parquet else JsonlReader
    pattern = "*.parquet" if is_parquet else "*.jsonl*"
    dropped = JsonlWriter(f"{{out}}/dropped")
    return [
        reader(corpus, text_key=TEXT, id_key=ID, glob_pattern=pattern),
        ManifestFilter(MANIFEST, SOURCE, exclusion_writer=dropped),
        JsonlWriter(f"{{out}}/kept"),
    ]


if __name__ == "__main__":
    corpus, out, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    LocalPipelineExecutor(pipeline(corpus, out), tasks=tasks, logging_dir=f"{{out}}/logs").run()
'''


def to_datatrove(manifest: Manifest, folder: Path) -> str:
    """A Python script that runs the manifest of a folder as a datatrove pipeline.

    Raises
    ------
    InputError
        If a step sees more than one document: a pipeline of filters can't.
    """
    refuse_wide_steps(manifest)
    return _SCRIPT.format(manifest=str(folder.absolute()))


def refuse_wide_steps(manifest: Manifest) -> None:
    """Raise InputError, with their names, if steps see more than one document."""
    wide = [f"{i} ({step.select})" for i, step in enumerate(manifest.steps, 1) if step.scope != "row"]
    if wide:
        raise InputError(
            f"these steps see more than one document, which a pipeline of filters can't: {', '.join(wide)}; "
            "use `workbench apply`, or its sidecar"
        )
