"""Options that several commands have in common, a dataclass a group; `takes_groups` spreads them out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from workbench.errors import InputError, RecipeError

if TYPE_CHECKING:
    from workbench.corpus import Corpus, Sample
    from workbench.models.load import Models
    from workbench.recipe.model import Recipe

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")
]
StoreFolder = Annotated[
    Path, typer.Option("--store", help="Folder that keeps the scores; a second run takes them from it.")
]
RecipeFile = Annotated[Path, typer.Option("--recipe", help="Recipe, a JSON file.")]
SampleFile = Annotated[str, typer.Argument(metavar="SAMPLE", help="Sample, or any small corpus.")]
TargetFile = Annotated[
    str | None,
    typer.Option(
        "--target",
        help="Texts that scores compare with (a file, folder or glob; columns as the sample's); its sources are tasks.",
    ),
]
ManifestFolder = Annotated[Path, typer.Argument(help="Manifest folder.")]


class Engine(StrEnum):
    """Where `apply` runs."""

    local = "local"
    ray = "ray"


class Form(StrEnum):
    """What `apply` writes."""

    data = "data"
    sidecar = "sidecar"


class ContextToken(StrEnum):
    """Which token stands before each window that a language model reads."""

    auto = "auto"
    bos = "bos"
    eos = "eos"
    none = "none"


class Kind(StrEnum):
    """What has a schema."""

    recipe = "recipe"
    manifest = "manifest"


@dataclass(frozen=True)
class Reading:
    """How the files of a corpus are read."""

    text_column: Annotated[str, typer.Option(help="Column that holds the text.")] = "text"
    id_column: Annotated[
        str | None,
        typer.Option(help='Column that holds the id; by default doc_id or id; "" makes ids from content.'),
    ] = None
    source_column: Annotated[
        str | None, typer.Option(help="Column that holds the source; by default source, else the file.")
    ] = None
    max_document_bytes: Annotated[
        int, typer.Option(help="Longer documents (in UTF-8 bytes) are quarantined.")
    ] = 16 * 2**20

    def corpus(self, paths: list[str]) -> Corpus:
        from workbench.corpus import read

        return read(paths[0] if len(paths) == 1 else paths, **vars(self))

    def sample(self, path: str) -> Sample:
        from workbench.corpus import read_sample

        return read_sample(path, **vars(self))


@dataclass(frozen=True)
class ModelFiles:
    """Which models compute scores."""

    embedder: Annotated[
        str | None,
        typer.Option(
            help="Embedder: MODEL (a name, folder or hub id of sentence-transformers), last-token:MODEL, mean:MODEL "
            "or rds:MODEL (a causal LM), static:MODEL, tfidf-svd, tfidf-svd:chars, column:NAME (of the corpus)."
        ),
    ] = None
    lm: Annotated[
        str | None,
        typer.Option(help="Causal LM: a name (reference-lm, SmolLM2-135M), a folder or a hub id."),
    ] = None
    ngram: Annotated[
        str | None, typer.Option(help="N-gram model: a folder that `workbench train-ngram` wrote.")
    ] = None


@dataclass(frozen=True)
class ModelChoice(ModelFiles):
    """Which models compute scores, and how the language model reads documents."""

    lm_window: Annotated[int | None, typer.Option(help="Tokens that the LM reads at once.")] = None
    lm_stride: Annotated[
        int | None,
        typer.Option(help="New tokens of each further window of a document; by default half of one."),
    ] = None
    lm_max_tokens: Annotated[
        int | None, typer.Option(help="Tokens of a document that the LM scores; by default four windows.")
    ] = None
    lm_context: Annotated[
        ContextToken,
        typer.Option(help="The token before each window; auto is what the model was trained with."),
    ] = ContextToken.auto

    def models(self) -> Models:
        from workbench.models.lm.definition import LMSettings
        from workbench.models.load import Models
        from workbench.models.locate import DEFAULT_EMBEDDER, DEFAULT_LM

        settings = LMSettings(self.lm_window, self.lm_stride, self.lm_max_tokens, self.lm_context.value)
        return Models(
            embedder=self.embedder or DEFAULT_EMBEDDER,
            lm=self.lm or DEFAULT_LM,
            lm_settings=settings,
            ngram=self.ngram,
        )


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Make each parameter of a command that is a group of options into the options themselves.

    Typer reads a function's signature; so the wrapper shows one in which the fields stand in the group's place.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if inspect.isclass(hint) and is_dataclass(hint)}
    shown = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            shown.append(parameter.replace(annotation=hints[name]))
            continue
        types = get_type_hints(groups[name], include_extras=True)
        shown.extend(
            inspect.Parameter(f.name, parameter.kind, default=f.default, annotation=types[f.name])
            for f in fields(groups[name])
        )

    @wraps(command)
    def run(**given: Any) -> None:
        made = {
            name: group(**{f.name: given.pop(f.name) for f in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **made)

    # required parameters first, as Python asks of a signature
    shown.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in shown}
    return run


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file.

    Raises
    ------
    RecipeError
        If it isn't one; the sentence begins with the file's name.
    InputError
        If the file can't be read.
    """
    from workbench.recipe.schema import parse_recipe

    try:
        return parse_recipe(path.read_bytes())
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"the recipe {path} can't be read ({error.strerror}); check the path") from None
