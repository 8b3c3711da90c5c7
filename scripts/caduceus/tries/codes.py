"""The code of tries and incumbents: its identity, its snapshot, and what an edit has changed."""

import difflib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import Json, canonical_json, digest_text, write_whole
from caduceus.io.phrases import pasted
from caduceus.io.written_out import flow
from caduceus.io.yaml_files import load
from caduceus.project.experiments import Experiment, files_of_code, load_experiment, run_id
from caduceus.project.settings import Settings
from caduceus.project.snapshots import take_snapshot
from caduceus.runs import source_code
from caduceus.runs.files.params import Params
from caduceus.runs.files.tries import Code, LedgerFolder, TrySettings
from caduceus.runs.variants import matches
from caduceus.system.git import read_commit

DEFINITION = "definition.json"  # the name of the definition of runs in a diff
_NO_FILE = "/dev/null"  # as git and patch write it
_DIGITS = 16  # of the id of code


@dataclass(frozen=True)
class PresentCode:
    """The project's code as it is now.

    Attributes:
        code: its identity.
        experiment: its experiment.
        files: the files of the code.
    """

    code: Code
    experiment: Experiment
    files: tuple[Path, ...]


def read_present_code(settings: TrySettings, config: Settings, where: str) -> PresentCode:
    """Read the experiment of a ledger, and the code of its variant.

    Args:
        settings: of the ledger.
        config: config.yaml.
        where: the file of the settings.

    Raises:
        SpecError: the experiment is wrong, has a sweep, or not one variant of these parameters.
    """
    root = Path()
    file = settings.experiment
    found = load_experiment(file, config.defaults, config.wandb.groups, root)
    if found.sweep is not None:
        raise SpecError("has a sweep; name an experiment without one", file)
    variants = {run.variant: run.definition for run in found.runs}
    chosen = [name for name, of in variants.items() if matches(of.parameters, settings.variant)]
    if len(chosen) != 1:
        what = "several variants match" if chosen else "no variant matches"
        names = ", ".join(map(pasted, chosen or variants))
        raise SpecError(
            f"variant: {what} {flow(dict(settings.variant))}; choose one of {names} by its "
            "parameters",
            where,
        )
    code = code_of(variants[chosen[0]], chosen[0], found.spec.seed_argument)
    return PresentCode(code, found, tuple(files_of_code(found.spec, file, root)))


def code_of(definition: Params, variant: str, seed_argument: str | None) -> Code:
    """Return the identity of code: of the definition of its runs, whatever their seed.

    Args:
        definition: of a run.
        variant: the name of its variant.
        seed_argument: the argument that passes the seeds of tries.
    """
    definition = replace(definition, seed=0, seed_argument=seed_argument)
    return Code(
        id=digest_text(canonical_json(definition.to_json()))[:_DIGITS],
        definition=definition,
        variant=variant,
    )


def run_of(experiment: str, code: Code, seed: int, extra: Mapping[str, Json] | None = None) -> str:
    """Return the id of a run of some code.

    Args:
        experiment: the id of its experiment.
        code: the code.
        seed: the run's seed.
        extra: parameters that are laid over those of the code.
    """
    definition = replace(code.definition, seed=seed)
    if extra:
        definition = replace(definition, parameters={**definition.parameters, **extra})
    return run_id(experiment, definition)


def keep_present_code(present: PresentCode, folder: LedgerFolder) -> None:
    """Take the snapshot of the project's code from which its runs are planned.

    Raises:
        SpecError: the code was edited since it was read; nothing is kept.
    """
    root = Path()
    dataset = present.experiment.spec.dataset
    others = {dataset.program: root / dataset.program} if dataset and dataset.program else {}
    target, file = folder.code(present.code.id), experiment_file(folder, present.code)
    commit = read_commit(present.files, root)
    keep_experiment(present.experiment.source.value, present.code, folder)
    take_snapshot(present.files, root, target, commit, others)
    group = present.experiment.spec.group
    kept = load_experiment(file.as_posix(), {"seed": 0}, {group: ""}, root)
    argument = kept.spec.seed_argument
    if present.code.id not in {code_of(r.definition, r.variant, argument).id for r in kept.runs}:
        shutil.rmtree(target)
        for path in target.parent.glob(f"{target.name}.*"):
            path.unlink()
        raise SpecError(
            "was edited while its snapshot was taken; the same command tries it as it is now",
            present.experiment.spec.program,
        )


def keep_experiment(value: Mapping[str, Json], code: Code, folder: LedgerFolder) -> None:
    """Write the experiment of a snapshot, with the parameters that came from `defaults`."""
    axes = set() if value.get("variants") else _axes(value)
    given = code.definition.parameters.items()
    parameters = {name: of for name, of in given if name not in axes}
    write_experiment({**value, "parameters": parameters}, experiment_file(folder, code), [0])


def _axes(value: Mapping[str, Json]) -> set[str]:
    """Return the parameters that an experiment's matrix and zip list."""
    lists = value.get("zip") or []
    found = [value.get("matrix"), *(lists if isinstance(lists, list) else [lists])]
    return {name for each in found if isinstance(each, Mapping) for name in each}


def experiment_file(folder: LedgerFolder, code: Code, is_holdout: bool = False) -> Path:
    """Return the experiment file of a snapshot, or that of its holdout runs."""
    return folder.code(code.id).with_name(f"{code.id}{'.holdout' if is_holdout else ''}.yaml")


def write_experiment(value: Mapping[str, Json], path: Path, seeds: Sequence[int]) -> None:
    """Write the experiment file of a snapshot, whose runs have these seeds."""
    lines = (f"{flow(key)}: {flow(item)}\n" for key, item in value.items() if key != "seeds")
    write_whole(path, "".join([*lines, f"seeds: {flow(list(seeds))}\n"]))


def plan_runs(
    folder: LedgerFolder,
    code: Code,
    seeds: Sequence[int],
    extra: Mapping[str, Json] | None = None,
) -> Path:
    """Write the experiment file that plans runs of a snapshot, and return it.

    Args:
        folder: the ledger's.
        code: the code.
        seeds: of the runs.
        extra: parameters of holdout runs, which are laid over those of the code.
    """
    value = load(experiment_file(folder, code)).value
    path = experiment_file(folder, code, bool(extra))
    parameters = {**value["parameters"], **(extra or {})}
    write_experiment({**value, "parameters": parameters}, path, seeds)
    return path


def present_content(present: PresentCode) -> dict[str, Path]:
    """Return the files of the project's code by their paths."""
    return {path.as_posix(): path for path in present.files}


def edit_between(
    before: Mapping[str, Path], after: Mapping[str, Path], first: Params, second: Params
) -> str:
    """Return the difference of two versions of code as a unified diff.

    Args:
        before: the files of the first version by their paths.
        after: those of the second.
        first: the definition of the first version's runs.
        second: that of the second's; both are shown as a file, but for the digest of the code.
    """
    texts: list[tuple[str, str | None, str | None]] = [
        (DEFINITION, _definition(first), _definition(second))
    ]
    for name in sorted(before.keys() | after.keys()):
        texts.append((name, _text(before.get(name)), _text(after.get(name))))
    return "".join(line for text in texts for line in _unified(*text))


def edited_files(diff: str) -> set[str]:
    """Return the paths in a diff of `edit_between`."""
    lines = (line for line in diff.splitlines() if line.startswith(("--- a/", "+++ b/")))
    return {line[6:] for line in lines}


def snapshot_content(folder: LedgerFolder, code: Code) -> dict[str, Path]:
    """Return the files of a snapshot by their paths in the project."""
    return source_code.snapshot_content(folder.code(code.id))


def _unified(name: str, before: str | None, after: str | None) -> Iterator[str]:
    lines = difflib.unified_diff(
        (before or "").splitlines(keepends=True),
        (after or "").splitlines(keepends=True),
        _NO_FILE if before is None else f"a/{name}",
        _NO_FILE if after is None else f"b/{name}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _definition(params: Params) -> str:
    shown = {key: value for key, value in params.to_json().items() if key not in ("code", "seed")}
    return json.dumps(shown, indent=2, sort_keys=True) + "\n"


def _text(path: Path | None) -> str | None:
    return path.read_text(errors="replace") if path else None
