"""The checks of a test run's export."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.cells import render
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.files import files_below
from caduceus.overview.verification import program
from caduceus.overview.verification.test_run import GROUP, TAG
from caduceus.runs.files.export import ExportedArtifact, Summary
from caduceus.system import git, nvml

_RUN_FILES = ("run_summary.json", "metrics_history.csv", "system_metrics.csv")


@dataclass(frozen=True)
class Check:
    """A point that must work: whether it does, the evidence, and how to fix it (`mend`)."""

    name: str
    is_ok: bool
    evidence: str
    mend: str = ""

    def __str__(self) -> str:
        if self.is_ok:
            return f"ok    {self.name}: {self.evidence}"
        return f"FAIL  {self.name}: {self.evidence}\n      to fix it: {self.mend}"


def look_at(
    export: Path, different: Sequence[str], group: str, tags: Sequence[str]
) -> Iterator[Check]:
    """Check that everything that the program logged is in its export.

    Args:
        export: the export of the test run, from its log or from a server.
        different: lines on what differs between the exports from a server and from the log.
        group: the run's W&B group as found.
        tags: its tags as found.
    """
    rows = list(text_rows(export / "metrics_history.csv"))
    columns = columns_of(export / "system_metrics.csv")
    system = [name for name in columns if name.startswith("system")]
    summary = Summary.read(export / "run_summary.json")
    again = "try again; if it fails again, report it: data are lost before the export"
    wrong = [line for line in different if line.startswith(("metrics", "summary"))]
    wrong += _wrong_rows(rows)
    yield Check("metrics arrive exactly", not wrong, _evidence(wrong, len(rows), "rows"), again)
    wrong = [line for line in different if line.startswith("media")]
    wrong += _wrong_pictures(rows, export)
    evidence = _evidence(wrong, len(files_below(export / "media")), "files")
    yield Check("visualisations display", not wrong, evidence, again)
    wrong = [line for line in different if line.startswith("artifacts")]
    wrong += _wrong_model(summary.artifacts, export)
    digests = [f"{artifact.name} {artifact.digest}" for artifact in summary.artifacts]
    yield Check(
        "artifacts come back with equal digests",
        bool(digests) and not wrong,
        "; ".join(wrong or digests),
        "check that the disk, or the server's file store, can be reached from here",
    )
    missing = [name for name in _RUN_FILES if not (export / name).exists()]
    wrong = [*(f"missing: {name}" for name in missing), *different]
    yield Check("the export works", not wrong, "; ".join(wrong) or ", ".join(_RUN_FILES), again)
    gpus = len(nvml.visible_gpus())
    yield Check(
        "system metrics are tracked",
        bool(system) and ("system/gpu_utilization" in system) == bool(gpus),
        f"{len(system)} metrics; GPUs visible here: {gpus}",
        "check that the NVIDIA driver works: nvidia-smi",
    )
    yield _look_at_git(summary.git.commit, summary.artifacts)
    named = {"group": group, "tags": list(tags)}
    yield Check(
        "tags and groups are right",
        named == {"group": GROUP, "tags": [TAG]},
        str(named),
        "unset WANDB_TAGS and WANDB_RUN_GROUP in the environment",
    )


def _wrong_rows(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield how the rows differ from what the program logged."""
    if len(rows) != program.STEPS:
        yield f"metrics: {len(rows)} rows of {program.STEPS}"
    for step, row in enumerate(rows[: program.STEPS]):
        for name, value in program.metrics(step).items():
            if row.get(name) != render(value):
                yield f"metrics: {name} at step {step} is {row.get(name)!r}, not {render(value)}"


def _wrong_pictures(rows: Sequence[Mapping[str, str]], export: Path) -> Iterator[str]:
    """Yield how the logged picture of the curves differs, pixel by pixel, from one drawn now."""
    from PIL import Image, ImageChops

    from caduceus.tracking.curve_picture import draw_curves

    last = rows[-1] if rows else {}
    cell = last.get("visualizations/loss_curves")
    if not cell:
        yield "media: no picture of the curves"
        return
    with Image.open(export / json.loads(cell)["path"]) as found:
        drawn = draw_curves(program.curves())
        picture = found.convert("RGB")
        if picture.size != drawn.size or ImageChops.difference(picture, drawn).getbbox():
            yield "media: the picture of the curves isn't the one that is drawn here"
    if not last.get("visualizations/confusion_matrix_table"):
        yield "media: no table of the confusion matrix"


def _wrong_model(artifacts: Sequence[ExportedArtifact], export: Path) -> Iterator[str]:
    """Yield how the model's file differs from what the program saved."""
    models = [artifact.name for artifact in artifacts if artifact.type == "model"]
    if len(models) != 1:
        yield f"artifacts: {len(models)} models"
        return
    path = export / "artifacts" / models[0] / "model.txt"
    if not path.exists() or path.read_text() != program.MODEL:
        yield f"artifacts: {models[0]}/model.txt isn't what was saved"


def _look_at_git(commit: str | None, artifacts: Sequence[ExportedArtifact]) -> Check:
    """Check that the commit is recorded, and with uncommitted changes the code that ran."""
    is_dirty = bool(git.read_commit([], Path())["is_dirty"])
    code = [artifact.name for artifact in artifacts if artifact.type == "code"]
    evidence = commit or "none"
    if is_dirty:
        # Offline, wandb writes no diff; the code that ran is logged as an artifact.
        evidence += f", with changes; what ran is {', '.join(code) or 'not logged'}"
    return Check(
        "the git commit is captured",
        bool(commit) and (bool(code) or not is_dirty),
        evidence,
        "work in a git repository with a commit, and unset WANDB_DISABLE_GIT",
    )


def _evidence(wrong: list[str], count: int, what: str) -> str:
    return "; ".join(wrong) or f"{count} {what}, equal to the last byte"
