"""Edits of a whole project: what users, other machines and other tools do to it.

Each takes a file of the project, as `file_edits` do.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from file_edits import Edit
from projects import CONFIG, EXPERIMENT, REPOSITORY, Project, end
from sweep_projects import GRID, PROGRAM

LIST = REPOSITORY / "tests/support/listed_jobs.py"
WORDS = ("--snakefile", str(REPOSITORY / "Snakefile"))
OWN_RULES = """
rule own:
    input: [f"results/runs/{run}/metrics_history.csv" for run in PROJECT.runs]
    output: "results/own.txt"
    shell: "cat {input} > {output}"
"""
PLACES: list[Path] = []  # made outside of the projects


def root_of(path: Path) -> Path:
    return next(each for each in path.parents if (each / "config.yaml").exists())


def write_another_experiment(root: Path) -> None:
    """One with two runs of the other and two of its own."""
    changes = {"id": "other", "group": "ablation", "seeds": [1, 2]}
    Project(root).write_yaml("experiments/other.yaml", EXPERIMENT | changes)


def go_back_in_time(path: Path) -> None:
    """An edit by a clock that was set back."""
    path.write_bytes(path.read_bytes() + b"\n")
    os.utime(path, (1, 1))


def come_from_the_future(path: Path) -> None:
    os.utime(path, (4_000_000_000, 4_000_000_000))


def copy_over(path: Path) -> None:
    """Restore the project as from a backup: names and times stay, inodes change."""
    replace_folder(root_of(path), shutil.copy2)


def copy_over_anew(path: Path) -> None:
    """Replace the project by a copy as of `cp -r`: all files get new times."""
    replace_folder(root_of(path), shutil.copy)


def replace_folder(folder: Path, copy: Callable[..., object]) -> None:
    shutil.copytree(folder, folder.with_name("copy"), symlinks=True, copy_function=copy)
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)


def keep_results_elsewhere(path: Path) -> None:
    """On another disk, behind a link, where there is one."""
    results = root_of(path) / "results"
    other = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix="settled-results-", dir=other)) / "results"
    if not results.is_symlink():
        shutil.copytree(results, place, symlinks=True)
        shutil.rmtree(results)
        results.symlink_to(place)
        PLACES.append(place.parent)


def keep_results_in_another_copy(path: Path) -> None:
    """A link that leads to an older state of the same results."""
    results = root_of(path) / "results"
    older = results.with_name("older")
    if not older.exists():
        shutil.copytree(results, older, symlinks=True)
    results.rename(results.with_name("newer"))
    older.rename(results)
    results.with_name("newer").rename(older)


def check_out_another_version(path: Path) -> None:
    """Change the code as `git checkout` does; a second time changes it back."""
    file = root_of(path) / "experiments/curve.py"
    old, new = ("- rate -", "+ rate -") if "- rate -" in file.read_text() else ("+ rate", "- rate")
    file.write_text(file.read_text().replace(old, new))


def build_other_experiments(path: Path) -> None:
    root = root_of(path)
    write_another_experiment(root)
    words = ("--config", "experiments=experiments/other.yaml")
    Project(root).fork(LIST, "build", "--cores", "2", *WORDS, *words)


def build_until_the_exports(path: Path) -> None:
    Project(root_of(path)).fork(LIST, "build", "--cores", "2", *WORDS, "--until", "export_run")


def touch_all(path: Path) -> None:
    Project(root_of(path)).fork(LIST, "build", "--cores", "2", *WORDS, "--touch")


def take_folds(path: Path) -> None:
    edit_yaml(path, "config.yaml", paper=CONFIG["paper"] | {"statistics": {"folds": 2}})


def search_too(path: Path) -> None:
    """A sweep beside the settled runs, with a trial that fails."""
    root = root_of(path)
    Project(root).write("experiments/tune.py", PROGRAM)
    sweep = {"config": GRID | {"parameters": {"mode": {"values": ["good", "crash"]}}}}
    experiment = {"id": "tune", "type": "sweep", "program": "experiments/tune.py", "sweep": sweep}
    Project(root).write_yaml("experiments/tune.yaml", experiment)
    files = ["experiments/toy.yaml", "experiments/tune.yaml"]
    edit_yaml(path, "config.yaml", experiments=files)


def read_exports_by_own_rules(path: Path) -> None:
    Project(root_of(path)).write("own.smk", OWN_RULES)
    edit_yaml(path, "config.yaml", custom_rules=["own.smk"])


def leave_own_rules_out(path: Path) -> None:
    edit_yaml(path, "config.yaml", custom_rules=[])


def retry(path: Path) -> None:
    Project(root_of(path)).caduceus("retry")


def retag(path: Path) -> None:
    edit_yaml(path, "experiments/toy.yaml", tags=["new"])


def add_a_seed(path: Path) -> None:
    edit_yaml(path, "experiments/toy.yaml", seeds=[0, 1, 2])


def widen(path: Path) -> None:
    edit_yaml(path, "config.yaml", wandb={"project": "elsewhere"})


def edit_yaml(path: Path, name: str, **changes: object) -> None:
    file = next(each / name for each in path.parents if (each / name).exists())
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))


def build_again(path: Path) -> None:
    Project(root_of(path)).fork(LIST, "build", "--cores", "2", *WORDS)


def kill_a_build(path: Path) -> None:
    """A build is killed once it has begun a job, and leaves it incomplete."""
    root = root_of(path)
    marks = root / ".snakemake/incomplete"
    words = ("build", "--cores", "2", *WORDS, "--forcerun", "export_run")
    process = Project(root).begin(sys.executable, "-c", LIST.read_text(), *words)
    while process.poll() is None and not any(marks.iterdir()):
        pass
    process.send_signal(signal.SIGKILL)
    end(process)


OF_PROJECT: tuple[Edit, ...] = (
    *(retag, add_a_seed, widen, build_again, kill_a_build, go_back_in_time, come_from_the_future),
    *(copy_over, copy_over_anew, keep_results_elsewhere, keep_results_in_another_copy),
    *(check_out_another_version, build_other_experiments, build_until_the_exports, touch_all),
    *(take_folds, search_too, read_exports_by_own_rules, leave_own_rules_out, retry),
)
# Calls that ask for more, for less or for something else than what is missing or has changed.
CALLS: tuple[tuple[str, ...], ...] = (
    ("results/groups/baseline/runs.csv",),
    ("paper",),
    ("--keep-going",),
    ("results/own.txt",),  # where there is such a rule
    ("--until", "export_run"),
    ("--omit-from", "export_group"),
    ("--forcerun", "export_run"),
    ("--allowed-rules", "make_table", "export_run"),
    ("--rerun-triggers", "mtime"),
    ("--batch", "all=1/2"),
    ("--prioritize", "results/groups/baseline/runs.csv"),
    ("--set-threads", "train=2"),
    ("--config", "experiments=experiments/other.yaml"),
)
