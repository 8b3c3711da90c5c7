"""The failures of a build: runs, and entries of the paper, groups and pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.failed_entries import FailedEntry, failed_entries
from caduceus.io.files import Json
from caduceus.io.phrases import count_of
from caduceus.overview.run_notes import plan_warnings
from caduceus.project.project import Project
from caduceus.project.targets import load_targets
from caduceus.runs.files.export import Manifest, Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.system.snakemake_dry_run import item_of

MEND = (
    "correct what each line names, and start again; type `caduceus retry` before, if what was "
    "wrong isn't in config.yaml"
)


@dataclass(frozen=True)
class RunFailures:
    """The failures and losses in the runs of all experiments.

    Attributes:
        failed: the error of each failed run, by id, without trials.
        trials: the error of each failed trial, by id.
        damaged: the counts of what the logs of runs have lost, by id.
        warnings: lines on runs that finished.
    """

    failed: Mapping[str, str]
    trials: Mapping[str, str]
    damaged: Mapping[str, Json]
    warnings: Sequence[str]


def run_failures(plans: Sequence[Path], folds: int | None) -> RunFailures:
    """Return what failed in the runs of `plans`, results/experiments/ID.json of each experiment.

    For `folds` see `equal_seeds`.
    """
    failed, trials, damaged = dict[str, str](), dict[str, str](), dict[str, Json]()
    warnings: list[str] = []
    for path in plans:
        for run in Plan.read(path).runs:
            folder = RunFolder.of_plan(path, run.id)
            if Summary.read(folder.summary_json).state == "failed":
                train = Train.read_if_there(folder.train_json)
                error = (train.error or "") if train else "it failed where it was run"
                (failed if run.trial is None else trials)[run.id] = error
            if lost := Manifest.read(folder.manifest_json).lost:
                damaged[run.id] = lost
                warnings.append(f"damaged: {run.id}: its log has lost {lost}; the rest is exported")
            warnings += filter(None, [_sync_warning(folder)])
        warnings += plan_warnings(path, folds)
    return RunFailures(failed, trials, damaged, warnings)


def _sync_warning(folder: RunFolder) -> str:
    if not folder.train_json.exists() or Identity.read(folder.run_json).mode != "online":
        return ""
    from caduceus.server.run_sync import sync_warning  # offline nobody needs requests: 0.1 s of CPU

    return sync_warning(folder)


def entry_failures(results: Path, made: Sequence[Path]) -> list[FailedEntry]:
    """Return the entries that failed of those whose files are `made`, below results/."""
    names = (item_of(f"results/{path.relative_to(results).as_posix()}") for path in made)
    return failed_entries(results, dict.fromkeys(names))


def find_failed_entries(project: Project, results: Path) -> list[FailedEntry]:
    """Return the entries of a project that failed in the last build."""
    targets = load_targets(project, lambda path: str(results / Path(path).relative_to("results")))
    made = [results / Path(path).relative_to("results") for path in targets.paper()]
    return entry_failures(results, made)


def entry_lines(failed: Sequence[FailedEntry]) -> Iterator[str]:
    """Yield the reasons of failed entries, between a heading and what mends them."""
    errors = [line for each in failed for line in each.errors]
    if errors:
        yield f"the last build failed: {count_of(len(errors), 'entry', 'entries')} not made"
        yield from (f"  {'failed':<11}  {line}" for line in errors)
        yield f"  {MEND}"
