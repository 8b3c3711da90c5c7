"""Write a run's definition and take a snapshot of its code, before it waits in any queue."""

import shutil
from dataclasses import replace
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import read_if_there, write_json
from caduceus.project.snapshots import code_root, is_snapshot, read_snapshot_commit
from caduceus.runs import source_code
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.params import ADOPTED_FILE, Params
from caduceus.runs.folder import RunFolder
from caduceus.system.git import UNKNOWN, read_commit


def plan_run(
    definition: Params,
    code: source_code.CodeSpec,
    experiment: Path,
    params_json: Path,
    trial: Path | None = None,
) -> None:
    """Write params.json, and copy the experiment file and the program's code to the run's work/.

    The commit of the code is recorded there too.

    Args:
        definition: all that decides the run's result, without what a sweep chooses.
        code: `code` of its experiment.
        experiment: the experiment file; that of a snapshot gives the snapshot's code.
        params_json: results/runs/RUN/params.json.
        trial: the file of the run's trial, if a sweep chooses its parameters. The code is then the
            snapshot that was taken when the sweep started.

    Raises:
        SpecError: the code has changed since the run got its id, or it has finished without the
            seed that it gets now, or was adopted and is gone.
    """
    root = code_root(experiment, Path())
    if is_snapshot(experiment):
        files = source_code.snapshot_files(root)
        commit = read_snapshot_commit(root) or UNKNOWN
    elif trial is None:
        files = source_code.code_files(root / definition.program, code, root, definition.command)
        commit = read_commit(files, root)
    else:
        from caduceus.runs.files.trial import Trial
        from caduceus.sweeps.folders import SweepFolder  # runs of no sweep don't need it

        sweep = SweepFolder.of_trial(trial)
        root, files = sweep.code, source_code.snapshot_files(sweep.code)
        experiment = sweep.experiment
        commit = read_if_there(sweep.commit, "delete it; the commit is then unknown") or UNKNOWN
        chosen = Trial.read(trial).parameters or {}  # none if it is skipped
        definition = replace(definition, parameters={**definition.parameters, **chosen})
    if source_code.code_identity(files, code, root) != definition.code:
        raise SpecError(
            "its code has changed since Snakemake started; start it again", definition.program
        )
    folder = RunFolder(params_json.parent)
    finished = [each for each in read_attempts(folder.attempts) if each.state == "finished"]
    if definition.seed_argument is not None and any(each.got_seed is False for each in finished):
        raise SpecError(
            f"was trained before seeds were listed, and got none: delete the folder to train it "
            f"with --{definition.seed_argument}={definition.seed}, or list other seeds",
            str(folder.path),
        )
    if definition.adopted and not finished:
        raise SpecError(
            f"was adopted as {definition.adopted.run}, but has no results here; restore its "
            f"folder, or remove its entry from {ADOPTED_FILE}",
            str(folder.path),
        )
    # A finished run keeps the code that it was trained with.
    if not finished:
        source_code.snapshot(files, root, folder.code)
        _copy_experiment(experiment, folder.experiment)
        write_json(folder.commit, commit)
    definition.write(params_json)


def _copy_experiment(experiment: Path, copy: Path) -> None:
    """Copy an experiment file, so that the copy needs none of the files that it extends."""
    if b"extends" not in experiment.read_bytes():
        shutil.copyfile(experiment, copy)
        return
    from caduceus.io.composition import compose  # most experiments extend nothing
    from caduceus.io.written_out import written_out

    copy.write_text(written_out(compose(str(experiment), Path()), Path()))
