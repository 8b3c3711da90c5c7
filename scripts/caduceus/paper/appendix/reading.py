"""Read what the appendix needs from results/."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from caduceus.io.csv_rows import text_rows
from caduceus.io.files import read_json
from caduceus.paper.appendix.content import AppendixData
from caduceus.project.claims import Claim
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.export import Manifest
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import Train

_LICENCES = ("LICEN[CS]E*", "COPYING*")


def read_appendix(
    plans: Sequence[Path],
    datasets: Sequence[Path],
    claims: Mapping[str, Claim],
    folder: Path,
    name: str,
    mode: str,
) -> AppendixData:
    """Read all files.

    Args:
        plans: results/experiments/ID.json of all experiments.
        datasets: dataset.json of each dataset.
        claims: `paper.claims`, by name.
        folder: results/paper.
        name: the archive's.
        mode: `wandb.mode`.
    """
    provenance = read_json(folder / "provenance.json")
    runs = [folder.parent / "runs" / run for run in provenance["runs"]]
    pythons, packages = _software(runs)
    return AppendixData(
        name=name,
        plans=[Plan.read(path) for path in plans],
        datasets=[DatasetRecord.read(path) for path in datasets],
        decided=read_json(folder / "claims.json") if claims else None,
        claims=claims,
        compute=read_json(folder / "compute.json"),
        seconds=_seconds(folder / "attempts.csv"),
        provenance=provenance,
        packages=packages,
        pythons=pythons,
        stored=sum(_stored(run) for run in runs),
        mode=mode,
        licence=_licence(),
        results=str(folder.parent),
    )


def _seconds(attempts: Path) -> dict[str, float]:
    """Return what each run took that finished: without failed attempts and lost time."""
    found: dict[str, float] = {}
    finished = set()
    for row in text_rows(attempts):
        if row["state"] == "finished":
            finished.add(row["run"])
        if row["state"] != "failed" and row["wall_s"]:
            seconds = float(row["wall_s"]) - float(row["lost_s"] or 0)
            found[row["run"]] = found.get(row["run"], 0.0) + seconds
    return {run: seconds for run, seconds in found.items() if run in finished}


def _software(runs: Sequence[Path]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the versions of Python, and those of the packages that programs imported."""
    pythons: set[str] = set()
    packages: dict[str, set[str]] = {}
    for run in runs:
        train = Train.read_if_there(run / "train.json")
        usage = train.attempts[-1].usage if train and train.attempts else None
        if usage:
            pythons |= {usage.python} if usage.python else set()
            for name, version in usage.packages.items():
                packages.setdefault(name, set()).add(version)
    return sorted(pythons), {name: sorted(packages[name]) for name in sorted(packages)}


def _stored(run: Path) -> int:
    manifest = Manifest.read_if_there(run / "manifest.json")
    return sum(file.bytes for file in manifest.files.values()) if manifest else 0


def _licence() -> str | None:
    for pattern in _LICENCES:
        for path in sorted(Path().glob(pattern)):
            lines = path.read_text(errors="replace").splitlines()
            if first := next((line.strip() for line in lines if line.strip()), ""):
                return first
    return None
