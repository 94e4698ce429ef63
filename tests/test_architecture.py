"""The rules of the house that a program can check: who imports whom, what is never used, how long a file may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What each part of workbench may import of the others; DESIGN.md has the table. "own" is the part itself.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "checks": {"errors"},
    "progress": set(),
    "embedded": {"errors"},
    "files": {"errors", "checks"},
    "corpus": {"errors", "checks", "progress", "files"},
    "store": {"errors", "checks", "files"},
    "models": {"errors", "checks", "progress", "files"},
    "scores": {"errors", "checks", "progress", "models"},
    "selectors": {"errors", "checks", "progress", "models"},
    "mixtures": {"errors", "checks"},
    "laws": {"errors", "checks"},
    "stats": {"errors", "checks"},
    "plots": {"errors", "checks", "stats"},
    "recipe": {"errors", "checks", "files", "store", "scores", "selectors", "mixtures", "laws"},
    "engine": {
        "errors", "checks", "progress", "files", "corpus", "store", "models", "scores", "selectors", "mixtures",
        "laws", "recipe", "stats",
    },
    "proxy": {
        "errors", "checks", "progress", "files", "corpus", "store", "models", "scores", "selectors", "mixtures",
        "laws", "recipe", "stats", "engine",
    },
}  # fmt: skip
MAY_IMPORT["summary"] = MAY_IMPORT["proxy"]
MAY_IMPORT["page"] = {"errors", "checks", "stats", "plots"}
MAY_IMPORT["report"] = {*MAY_IMPORT["proxy"], "plots", "summary", "page"}
MAY_IMPORT["pictures"] = {*MAY_IMPORT["proxy"], "plots"}
MAY_IMPORT["demo"] = {*MAY_IMPORT["report"], "report", "embedded"}
MAY_IMPORT["cli"] = {*MAY_IMPORT["demo"], "demo"}
MAY_IMPORT["__init__"] = {*MAY_IMPORT["cli"], "cli"}

# In these folders the files stand side by side and only these are shared.
SHARED_BY_SIBLINGS = {
    # words.py splits, runs.py counts words and views.py finds each part of a text once, for all text signals;
    # normal.py is how texts are compared, signatures.py how they are hashed for it, units.py what is compared of them
    "scores": {"base", "words", "runs", "views", "normal", "signatures", "units"},
    # rules.py holds a document to limits and tells each one that it breaks, for all heuristic filters; pieces.py finds
    # which parts of documents stand more than once; average.py puts several scores together
    "selectors": {"base", "budget", "rules", "pieces", "average"},
    "mixtures": {"base"},
}

HEAVY = {
    "torch", "transformers", "sentence_transformers", "faiss", "umap", "hdbscan", "fast_hdbscan", "sklearn", "scipy",
    "ray", "altair", "py3langid", "pandas", "huggingface_hub", "tokenizers", "jscatter", "ipywidgets", "anywidget",
    "kenlm", "sentencepiece",
}  # fmt: skip
HEAVY_ALLOWED = {"plots": {"altair"}, "report": {"altair"}}

MAX_LINES = 310  # "about 300"
LONGER: dict[str, str] = {}


@dataclass(frozen=True)
class Import:
    """One import statement: the module, and whether it runs when its file is imported."""

    file: Path
    line: int
    module: str
    at_module_level: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def sources(*folders: str, ending: str = ".py") -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*{ending}"))
        if "__pycache__" not in path.parts
    ]


def imports(path: Path) -> Iterator[Import]:
    """All imports of a file but those that only a type checker reads."""

    def walk(node: ast.AST, top: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from (Import(path, child.lineno, alias.name, top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: relative imports hide who imports whom"
                names = [f"{child.module}.{alias.name}" for alias in child.names]
                yield from (Import(path, child.lineno, name, top) for name in names)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, top and not inside)

    yield from walk(ast.parse(path.read_text()), True)


def part_of(path: Path) -> str:
    """The part of workbench that a file belongs to: its folder, or its own name."""
    inside = path.relative_to(ROOT / "workbench")
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def target(module: str) -> str | None:
    """The part of workbench that an imported name lies in."""
    parts = module.split(".")
    if parts[0] != "workbench" or len(parts) < 2:
        return None
    return parts[1]


def test_every_part_of_the_workbench_has_its_line_in_the_table() -> None:
    assert {part_of(path) for path in sources("workbench")} <= set(MAY_IMPORT)


def test_a_folder_imports_only_what_stands_below_it() -> None:
    wrong = []
    for path in sources("workbench"):
        part = part_of(path)
        for found in imports(path):
            other = target(found.module)
            if other is None or other == part:
                continue
            if other not in MAY_IMPORT[part]:
                wrong.append(str(found))
    assert not wrong


def test_scores_and_selectors_reach_for_models_only_when_they_run() -> None:
    wrong = [
        str(found)
        for path in sources("workbench/scores", "workbench/selectors")
        for found in imports(path)
        if found.at_module_level
        and target(found.module) == "models"
        # tiles and batches are arithmetic, and load nothing
        and not found.module.startswith("workbench.models.geometry.kmeans")
    ]
    assert not wrong


def test_siblings_do_not_import_each_other() -> None:
    wrong = []
    for folder, shared in SHARED_BY_SIBLINGS.items():
        for path in sources(f"workbench/{folder}"):
            if path.name == "__init__.py":
                continue
            for found in imports(path):
                parts = found.module.split(".")
                if parts[:2] == ["workbench", folder] and parts[2] not in {*shared, path.stem}:
                    wrong.append(str(found))
    assert not wrong


def test_the_workbench_never_imports_the_widgets() -> None:
    wrong = [
        str(i) for path in sources("workbench") for i in imports(path) if i.module.split(".")[0] == "widgets"
    ]
    assert not wrong


def test_heavy_libraries_are_imported_inside_the_function_that_needs_them() -> None:
    wrong = [
        str(found)
        for path in sources("workbench")
        for found in imports(path)
        if found.at_module_level
        and found.module.split(".")[0] in HEAVY - HEAVY_ALLOWED.get(part_of(path), set())
    ]
    assert not wrong


def test_ray_is_known_to_one_file_and_pydantic_to_another() -> None:
    for library, only in (("ray", "workbench/engine/ray.py"), ("pydantic", "workbench/recipe/schema.py")):
        users = {
            str(path.relative_to(ROOT))
            for path in sources("workbench", "widgets")
            for found in imports(path)
            if found.module.split(".")[0] == library
        }
        assert users <= {only}


NEVER: dict[str, tuple[str, str]] = {
    "pickle": (r"\b(import|from)\s+(c?[Pp]ickle|dill|cloudpickle|joblib|shelve|marshal)\b", ".py"),
    "unpickling by a library": (
        r"allow_pickle\s*=\s*True|torch\.load\(|read_pickle|weights_only\s*=\s*False",
        ".py",
    ),
    "running text as code": (r"(?<![\w.])(eval|exec|__import__)\(", ".py"),
    "a shell": (r"shell\s*=\s*True|os\.system\(", ".py"),
    "a model's own code": (r"trust_remote_code\s*=\s*True", ".py"),
    "text as markup": (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(",
        ".js",
    ),
    "text as markup from Python": (r"innerHTML|HTMLMath|mark_safe", ".py"),
    "something from outside": (r"https?://(?!127\.0\.0\.1|localhost|www\.w3\.org)[\w.]+", ".js"),
    "a stylesheet from outside": (r"@import|url\(\s*['\"]?https?:", ".css"),
}


@pytest.mark.parametrize("what", NEVER)
def test_nothing_uses(what: str) -> None:
    pattern, ending = NEVER[what]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources("workbench", "widgets", ending=ending)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line) and not line.lstrip().startswith(("#", "//", "*"))
    ]
    assert not found


def test_a_file_is_short_enough_to_be_read() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for ending in (".py", ".js", ".css")
        for path in sources("workbench", "widgets", ending=ending)
        if (n := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert set(long) <= set(LONGER), {name: n for name, n in long.items() if name not in LONGER}


def test_the_exceptions_from_the_length_are_still_needed() -> None:
    short = [name for name in LONGER if len((ROOT / name).read_text().splitlines()) <= MAX_LINES]
    assert not short


def test_each_file_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources("workbench", "widgets")
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_the_rules_would_find_what_they_are_for(tmp_path: Path) -> None:
    """A rule that never fires may be blind."""
    file = tmp_path / "x.py"
    file.write_text(
        "import torch\nfrom workbench.engine import apply\ndef f():\n    import faiss\n"
        "if TYPE_CHECKING:\n    import ray\n"
    )
    found = {(i.module, i.at_module_level) for i in imports(file)}
    assert found == {("torch", True), ("workbench.engine.apply", True), ("faiss", False)}
    assert target("workbench.engine.apply") == "engine"
    for text, what in (
        ("import pickle", "pickle"),
        ("x = eval(y)", "running text as code"),
        ("model(trust_remote_code=True)", "a model's own code"),
        ("node.innerHTML = text", "text as markup"),
        ('import "https://cdn.example.org/x.js"', "something from outside"),
    ):
        assert re.search(NEVER[what][0], text)


def test_a_class_is_styled_by_one_sheet() -> None:
    """All views share a page: a rule that one sheet gives to a bare class would reach into the others."""
    owners: dict[str, set[str]] = {}
    for sheet in sorted((ROOT / "widgets" / "static").glob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+)\{", text):
            for selector in selectors.split(","):
                bare = re.fullmatch(r"(?:\.wb-view )?\.(wb-[\w-]+)", selector.strip())
                if bare:
                    owners.setdefault(bare[1], set()).add(sheet.name)
    owners.pop("wb-bench")  # loss_curve.css stands in for common.css where there is no bench
    assert {name: sheets for name, sheets in owners.items() if len(sheets) > 1} == {}
