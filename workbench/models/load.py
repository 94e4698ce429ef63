"""The models of one run: found and digested at once, loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from workbench.errors import ModelError
from workbench.models.base import CausalLM, Definition, Embedder, Ngram, Tokenizer
from workbench.models.embedding.embedders import (
    define_embedder,
    load_embedder,
    locate_embedder,
    named_in,
    parse_embedder,
)
from workbench.models.lm.backbone import Layout
from workbench.models.lm.causal import WindowedLM
from workbench.models.lm.definition import LMSettings, lm_definition
from workbench.models.locate import DEFAULT_EMBEDDER, DEFAULT_LM, Kind, Located, compare_digests, locate
from workbench.models.ngram.model import NgramLM, locate_ngram, ngram_definition
from workbench.models.token_cache import TokenCache
from workbench.models.tokens import FileTokenizer, tokenizer_definition
from workbench.models.training.reference import trained_on
from workbench.progress import Progress, Silent

Role = Literal["tokenizer", "lm", "embedder", "ngram"]


class Models:
    """The tokenizer, language model, embedder and n-gram model in use. The tokenizer is the language model's.

    Parameters
    ----------
    embedder
        A name as in `workbench.models.embedding.embedders.parse_embedder`.
    lm
        A name as in `workbench.models.locate.locate`.
    ngram
        The folder of an n-gram model, as `workbench train-ngram` writes it; there is no default.
    dtype
        "float32", "bfloat16", or None: bfloat16 on CUDA; on a CPU float32 for the language model, and for the embedder
        bfloat16 where the CPU is faster in it.
    expected
        Definitions by role that these models must have: files with other digests are an error, and settings
        (dtype, window, ...) are taken from here.
    lm_settings
        How the language model reads documents: window, stride, maximum, context token.
    layout
        How its windows are put into rows, "auto", "padded" or "packed": see `workbench.models.lm.causal.WindowedLM`.

    Attributes
    ----------
    tokens
        Where token ids are kept; models of runs that share it tokenise once.
    progress
        What the models report to while they work, by characters of text; set by whoever runs them.
    """

    def __init__(
        self,
        embedder: str = DEFAULT_EMBEDDER,
        lm: str = DEFAULT_LM,
        dtype: str | None = None,
        expected: Mapping[str, Definition] | None = None,
        lm_settings: LMSettings | None = None,
        layout: Layout = "auto",
        ngram: str | None = None,
    ) -> None:
        self.progress: Progress = Silent()
        self.tokens = TokenCache()
        self._lm_settings = lm_settings
        self._layout = layout
        self._names: dict[Kind, str] = {"lm": lm}
        self._embedder = parse_embedder(embedder)
        self._ngram = ngram
        self._dtype = dtype
        self._expected = dict(expected or {})
        self._located: dict[Kind | Literal["ngram"], Located] = {}
        self._definitions: dict[Role, Definition] = {}
        self._loaded: dict[Role, Any] = {}

    @classmethod
    def from_definitions(
        cls,
        definitions: Mapping[str, Definition],
        embedder: str | None = None,
        lm: str | None = None,
        ngram: str | None = None,
    ) -> Models:
        """The models that a manifest names, or those at the given paths; every digest is compared at once.

        Raises
        ------
        ModelError
            If a model isn't to be found, or a file differs from the manifest's.
        """
        of_lm = definitions.get("lm") or definitions.get("tokenizer")
        of_embedder, of_ngram = definitions.get("embedder"), definitions.get("ngram")
        models = cls(
            embedder=str(named_in(of_embedder, embedder)) if of_embedder else embedder or DEFAULT_EMBEDDER,
            lm=lm or (str(of_lm["id"]) if of_lm else DEFAULT_LM),
            ngram=ngram or (str(of_ngram["id"]) if of_ngram else None),
            expected=definitions,
        )
        for role in ("tokenizer", "lm", "embedder", "ngram"):
            if role in definitions:
                models.definition(role)
        return models

    def definition(self, kind: Role) -> Definition:
        """What decides a model's numbers. Its files are digested once a process; no weights are loaded."""
        if kind not in self._definitions:
            self._definitions[kind] = self._define(kind)
        return self._definitions[kind]

    @property
    def tokenizer(self) -> Tokenizer:
        if "tokenizer" not in self._loaded:
            self._loaded["tokenizer"] = FileTokenizer(
                self._locate("lm"), self.definition("tokenizer"), self.tokens
            )
        tokenizer: Tokenizer = self._loaded["tokenizer"]
        return tokenizer

    @property
    def lm(self) -> CausalLM:
        if "lm" not in self._loaded:
            definition = self.definition("lm")
            self._loaded["lm"] = WindowedLM(
                self._locate("lm"), definition=definition, layout=self._layout, cache=self.tokens
            )
        lm: CausalLM = self._loaded["lm"]
        return lm

    @property
    def embedder(self) -> Embedder:
        if "embedder" not in self._loaded:
            definition = self.definition("embedder")
            self._loaded["embedder"] = load_embedder(definition, self._located_embedder)
        embedder: Embedder = self._loaded["embedder"]
        return embedder

    @property
    def ngram(self) -> Ngram:
        if "ngram" not in self._loaded:
            self._loaded["ngram"] = NgramLM(self._locate("ngram"), self.definition("ngram"))
        ngram: Ngram = self._loaded["ngram"]
        return ngram

    def trained_on(self, role: Literal["lm", "ngram"] = "lm") -> frozenset[str] | None:
        """Ids of the documents that a model was trained on; None if it doesn't say."""
        return trained_on(self._locate(role).folder)

    def _locate(self, kind: Kind | Literal["ngram"]) -> Located:
        if kind in self._located:
            return self._located[kind]
        if kind == "ngram":
            self._located[kind] = locate_ngram(self._ngram)
        else:
            expected = self._expected.get(kind) or (self._expected.get("tokenizer") if kind == "lm" else None)
            revision = expected.get("revision") if expected else None
            self._located[kind] = locate(self._names[kind], kind, None if revision is None else str(revision))
        return self._located[kind]

    @cached_property
    def _located_embedder(self) -> Located | None:
        revision = self._expected.get("embedder", {}).get("revision")
        return locate_embedder(self._embedder, None if revision is None else str(revision))

    def _define(self, kind: Role) -> Definition:
        expected = self._expected.get(kind)
        if expected is not None:
            return self._hold(kind, expected)
        if kind == "tokenizer":
            return tokenizer_definition(self._locate("lm"))
        if kind == "lm":
            return lm_definition(self._locate("lm"), self._dtype, self._lm_settings)
        if kind == "ngram":
            return ngram_definition(self._locate("ngram"))
        return define_embedder(self._embedder, self._located_embedder, self._dtype)

    def _hold(self, kind: Role, expected: Definition) -> Definition:
        """The expected definition, once the files here are shown to be those it names."""
        files = expected.get("files")
        if not isinstance(files, Mapping):
            raise ModelError(
                f"the expected definition of the {kind} names no files; export the manifest again"
            )
        located = (
            self._located_embedder
            if kind == "embedder"
            else self._locate("lm" if kind == "tokenizer" else kind)
        )
        found = {n: located.digest(n) for n in files if (located.folder / n).is_file()} if located else {}
        compare_digests(str(expected.get("id")), files, found)
        return expected
