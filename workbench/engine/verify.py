"""Holding what `apply` wrote against its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.checks import Array, file_digest, json_digest, strings
from workbench.engine.identify import id_hashes
from workbench.engine.select import KEPT
from workbench.engine.verification import Verification
from workbench.engine.work import RUN_FILE, TABLES, read_json
from workbench.errors import VerificationError
from workbench.recipe.manifest import read_manifest
from workbench.recipe.model import Step
from workbench.recipe.schema import Amount, EstimateEntry, Manifest, parse_step
from workbench.scores import SCORES

_NAMES: tuple[Amount, ...] = ("n_documents", "n_tokens", "n_bytes")

_DAMAGE = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What reading a changed run.json, or a changed file whose digest was changed with it, can raise."""

ALARM = 3.29 / 1.96
"""A total is a failure outside the 99.9 % interval, and a warning outside the 95 % one: one run in twenty is
there.
"""


def verify(manifest: Path | str, out: Path | str) -> Verification:
    """Check a run against its manifest: files, counts, decisions and expectations.

    Raises
    ------
    ManifestError
        If the manifest was changed.
    VerificationError
        If there is no complete run in `out`.
    """
    held, out = read_manifest(manifest), Path(out)
    if not (out / RUN_FILE).is_file():
        raise VerificationError(
            f"{out} holds no complete run ({RUN_FILE} is missing); run `workbench apply` to its end"
        )
    result = Verification()
    try:
        _check_run(out, read_json(out / RUN_FILE), held, result)
    except (*_DAMAGE, pa.ArrowException, pl.exceptions.PolarsError) as error:
        what = f"{type(error).__name__}: {str(error)[:200]}"
        raise VerificationError(
            f"{out / RUN_FILE} or a file that it names was damaged ({what}); run `workbench apply` again"
        ) from error
    return result


def _check_run(out: Path, run: dict[str, Any], held: Manifest, result: Verification) -> None:
    result.check(
        run["manifest"] == held.digest,
        "the run used this manifest",
        f"the run used manifest {str(run['manifest'])[:12]}…, not {held.digest[:12]}…; give that one",
    )
    if _check_files(out, run, result):
        _check_counts(out, run, result)
        if run["form"] == "sidecar":
            _check_sidecar(out, run, held, result)
        else:
            _check_sums(out, run, held, result)
            _check_decisions(out, held, result)
        _check_expectations(run, held, result)


def _check_files(out: Path, run: dict[str, Any], result: Verification) -> bool:
    """Every file is there with its digest, and no other is."""
    bad = [name for name, digest in run["files"].items() if not _has_digest(out, name, digest)]
    there = {
        str(p.relative_to(out))
        for kind in (*sum(TABLES.values(), ()), "quarantine")
        for p in (out / kind).glob("*")
    }
    extra = sorted(there - set(run["files"]))
    ok = result.check(
        not bad,
        f"{len(run['files'])} files have their digests",
        f"{len(bad)} files are missing or changed: {bad[:3]}",
    )
    result.check(
        run["output_digest"] == json_digest(run["files"]),
        "the run's digest is that of its files",
        "the run's digest isn't that of its files: run.json was changed",
    )
    return (
        result.check(not extra, "there is no other file", f"files that the run didn't write: {extra[:3]}")
        and ok
    )


def _has_digest(out: Path, name: str, digest: str) -> bool:
    path = out / name
    inside = path.resolve().is_relative_to(out.resolve())
    return inside and path.is_file() and file_digest(path) == digest


def _tables(out: Path, kind: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    for path in sorted((out / kind).glob("*.parquet")):
        file = pq.ParquetFile(path)
        if file.metadata.num_rows:
            for batch in file.iter_batches(batch_size=65536, columns=columns):
                yield pl.DataFrame(pl.from_arrow(batch))


def _check_counts(out: Path, run: dict[str, Any], result: Verification) -> None:
    counts = run["counts"]
    n_kept = sum(int((t["step"] == KEPT).sum()) for t in _tables(out, "sidecar", ["step"]))
    n_dropped = sum(int((t["step"] != KEPT).sum()) for t in _tables(out, "sidecar", ["step"]))
    n_kept += sum(len(t) for t in _tables(out, "kept", ["doc_id"]))
    n_dropped += sum(len(t) for t in _tables(out, "dropped", ["doc_id"]))
    n_quarantined = sum(p.read_bytes().count(b"\n") for p in (out / "quarantine").glob("*.jsonl"))
    found = {"kept": n_kept, "dropped": n_dropped, "quarantined": n_quarantined}
    same = all(counts[name] == n for name, n in found.items())
    result.check(
        same,
        "the files hold as many rows as run.json says",
        f"run.json says {counts}, the files hold {found}",
    )
    total = sum(found.values())
    result.check(
        total == counts["read"],
        f"kept, dropped and quarantined add up to the {total:,} rows read",
        f"{counts['read']:,} rows were read, kept, dropped and quarantined add up to {total:,}",
    )
    hashes = [
        id_hashes(t["doc_id"].to_list())
        for kind in sum(TABLES.values(), ())
        for t in _tables(out, kind, ["doc_id"])
    ]
    ids = np.sort(np.concatenate([np.zeros(0, dtype=np.uint64), *hashes]))
    twice = int((ids[1:] == ids[:-1]).sum())
    result.check(
        not twice, "every document stands once", f"{twice} documents stand twice among kept and dropped"
    )


def _check_sidecar(out: Path, run: dict[str, Any], manifest: Manifest, result: Verification) -> None:
    """Steps, weights and shards of a sidecar are those of run.json; it holds nothing to decide again by."""
    steps: Counter[int] = Counter()
    n_odd, shards = 0, set()
    for table in _tables(out, "sidecar", ["shard", "weight", "step"]):
        steps.update(table["step"].to_list())
        n_odd += int(((table["step"] == KEPT) != (table["weight"] > 0)).sum())
        shards.update(table["shard"].unique().to_list())
    kept = steps.pop(KEPT, 0)
    by_step = {step["step"]: step["dropped"] for step in run["by_step"] if step["dropped"]}
    result.check(
        kept == run["kept"]["n_documents"]
        and dict(steps) == by_step
        and len(run["by_step"]) == len(manifest.steps)
        and kept == sum(amounts["n_documents"] for amounts in run["by_source"].values()),
        "the sums by step are those of the files",
        "the sums by source or by step in run.json aren't those of the files",
    )
    result.check(
        not n_odd,
        "what is kept has a weight, and what is dropped has none",
        f"{n_odd} documents have a weight that their step denies",
    )
    result.check(
        shards <= {shard["shard"] for shard in run["shards"]},
        "every document stands in a shard of the run",
        "the sidecar names shards that the run didn't read",
    )
    result.warnings.append(
        "a sidecar holds no scores, sources or lengths, so decisions weren't made again and tokens not summed"
    )


def _check_sums(out: Path, run: dict[str, Any], manifest: Manifest, result: Verification) -> None:
    """The sums in run.json, by source and by step, are those of the files."""
    kept: dict[str, Counter[str]] = {}
    for table in _tables(out, "kept", ["source", "n_tokens", "n_bytes"]):
        sums = pl.col("n_tokens", "n_bytes").cast(pl.Float64).sum()
        for source, *amounts in table.group_by("source").agg(pl.len(), sums).iter_rows():
            kept.setdefault(source, Counter()).update(dict(zip(_NAMES, map(int, amounts), strict=True)))
    dropped: Counter[tuple[int, str]] = Counter()
    for table in _tables(out, "dropped", ["step", "source"]):
        dropped.update(table.iter_rows())
    said = {
        source: Counter({name: amounts[name] for name in _NAMES})
        for source, amounts in run["by_source"].items()
    }
    total = sum(kept.values(), Counter())
    steps = [(i, entry.select) for i, entry in enumerate(manifest.steps)]
    same = (
        run["kept"] == {name: total[name] for name in _NAMES}
        and {s: a for s, a in said.items() if a.total()} == kept
        and [(step["step"], step["select"]) for step in run["by_step"]] == steps
        and all(step["dropped"] == sum(step["by_source"].values()) for step in run["by_step"])
        and {(s["step"], name): n for s in run["by_step"] for name, n in s["by_source"].items()} == dropped
    )
    n_out = sum(amounts["n_read"] - amounts["n_documents"] for amounts in run["by_source"].values())
    n_unscored = n_out - dropped.total()
    result.check(
        same and 0 <= n_unscored <= run["counts"]["quarantined"],
        "the sums by source and by step are those of the files",
        "the sums by source or by step in run.json aren't those of the files",
    )


def _check_decisions(out: Path, manifest: Manifest, result: Verification) -> None:
    """Kept documents pass every step that looks at one document; dropped ones name a step of the recipe."""
    steps = [parse_step({"select": s.select, **s.params}, i) for i, s in enumerate(manifest.steps)]
    for index, step in enumerate(steps):
        # Vectors aren't written beside the documents, so what reads them can't be decided again.
        if step.spec.scope == "row" and not any(n in SCORES and SCORES[n].vector for n in step.needs):
            needs = ["doc_id", *step.needs]
            wrong = [i for t in _tables(out, "kept", needs) for i in _not_kept(step, t, manifest.seed)]
            result.check(
                not wrong,
                f"every kept document passes step {index + 1} ({step.select})",
                f"{len(wrong)} kept documents fail step {index + 1} ({step.select}), such as {wrong[:1]}",
            )
    found: Counter[tuple[int, str]] = Counter()
    for table in _tables(out, "dropped", ["step", "select"]):
        found.update(table.iter_rows())
    unknown = [s for s in found if not 0 <= s[0] < len(steps) or steps[s[0]].select != s[1]]
    result.check(
        not unknown, "every dropped document names its step", f"dropped by unknown steps: {unknown[:3]}"
    )


def _not_kept(step: Step, table: pl.DataFrame, seed: int) -> list[str]:
    columns: dict[str, Array] = {"doc_id": strings(table["doc_id"].to_list())}
    for name in step.needs:
        series = table[name]
        columns[name] = (
            strings(series.fill_null("").to_list()) if series.dtype == pl.String else series.to_numpy()
        )
    keep = step.spec.run(columns, step.params, {}, seed).keep
    return [str(i) for i in columns["doc_id"][~keep]]


def _check_expectations(run: dict[str, Any], manifest: Manifest, result: Verification) -> None:
    expected = manifest.expected
    if run.get("corpus") != manifest.input.design.get("corpus_fingerprint"):
        result.warnings.append(
            "the manifest was made on a sample of another corpus, so its expectations say nothing here"
        )
        return
    verdict: dict[str, Callable[[float, EstimateEntry, float], bool]] = {
        "exact": lambda found, e, _: abs(found - e.value) < 0.5,
        "estimate": lambda found, e, k: (
            e.value - k * (e.value - e.low) <= found <= e.value + k * (e.high - e.value)
        ),
        "upper_bound": lambda found, e, k: found <= e.value + k * (e.high - e.value),
    }
    holds = verdict[expected.basis]
    cuts_anew = any(step.scope == "column" for step in manifest.steps)
    for name in _NAMES:
        found, e = run["kept"][name], expected.all[name]
        if expected.basis == "upper_bound":
            said = f"at most the expected {e.high:,.0f}, which a step that looks for copies lowers"
            result.check(
                holds(found, e, ALARM),
                f"kept {name} {found:,} is {said}",
                f"kept {name} {found:,} is above the expected {e.high:,.0f} at most",
            )
            continue
        between = f"the expected {e.value:,.0f} ({e.low:,.0f} to {e.high:,.0f})"
        if expected.basis == "estimate" and cuts_anew and not holds(found, e, ALARM):
            result.warnings.append(
                f"kept {name} {found:,} lies outside {between}, which doesn't know that steps of scope column find "
                "their cut on the corpus anew"
            )
            continue
        result.check(
            holds(found, e, ALARM),
            f"kept {name} {found:,} agrees with {between}",
            f"kept {name} {found:,} lies outside {between}",
        )
    outside = [
        f"{source} {name}"
        for source, amounts in expected.by_source.items()
        for name in _NAMES
        if not holds(run["by_source"].get(source, {}).get(name, 0), amounts[name], 1.0)
    ]
    if expected.basis == "exact":
        result.check(
            not outside, "every source keeps exactly what was expected", f"sources that differ: {outside[:5]}"
        )
    elif outside:
        result.warnings.append(
            f"{len(outside)} amounts per source lie outside their 95 % intervals: {outside[:5]}"
        )
