"""What `caduceus status` says of the environments that runs finished in."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.files import sha256
from caduceus.overview import environments
from caduceus.overview.changed_files import changed_lines, find_changed
from caduceus.overview.environments import (
    behind_lines,
    difference_lines,
    find_behind,
    find_differences,
    finished_runs,
    present_environment,
)
from caduceus.runs.environments import record_path
from caduceus.runs.files.attempt import Gpu, Machine
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment, ProgramEnvironment
from caduceus.runs.files.usage import LibraryFile, Usage, UsedFile
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from run_files import attempt, identity, params, train

Make = Callable[..., RunRecord]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the files of a run whose program has used this."""

    def written(run: str, usage: Usage | None = None, **about: Any) -> RunRecord:
        folder = RunFolder(tmp_path / "results/runs" / run)
        state, command = about.pop("state", "finished"), about.pop("command", ("python",))
        identity(run, variant=about.pop("variant", "wide")).write(folder.run_json)
        params(command=command).write(folder.params_json)
        made = attempt(usage=usage, state=state, **about)
        train(run, made).write(folder.train_json)
        return RunRecord(folder)

    return written


def on(cpu: str, *gpus: str) -> dict[str, Any]:
    models = tuple(Gpu(name, 80.0) for name in gpus)
    return {"machine": Machine(cpu, 8, 16.0), "gpus": gpus, "gpu_models": models}


def edited(digest: str) -> Usage:
    return Usage(files={"libs/model.py": UsedFile(1, 2, digest)})


def test_only_planned_runs_that_have_finished_are_looked_at(make: Make) -> None:
    runs = [make("a"), make("b", state="failed"), make("c")]
    damaged = make("d")
    damaged.folder.train_json.write_text("")
    assert finished_runs([*runs, RunRecord(damaged.folder)], ["a", "b", "d"]) == [runs[0]]


def test_seeds_that_ran_different_code_are_named(make: Make) -> None:
    runs = [
        make("a", edited("old")),
        make("b", edited("new")),
        make("c", edited("new"), variant="deep"),
        make("d", edited("new"), variant="deep"),
    ]
    assert list(difference_lines(find_differences(runs))) == [
        "toy: seeds of wide ran different code: libs/model.py"
    ]
    assert list(difference_lines(find_differences(runs[1:]))) == []


def test_environments_are_compared_across_an_experiment(make: Make) -> None:
    runs = [
        make("a", Usage(packages={"numpy": "2.1.0"}), **on("EPYC", "H100")),
        make("b", Usage(packages={"numpy": "2.4.0"}), **on("EPYC", "A100"), variant="deep"),
    ]
    assert list(difference_lines(find_differences(runs))) == [
        "toy: runs differ in their environment: GPU A100 or H100, numpy 2.1.0 or 2.4.0"
    ]


def test_a_package_that_only_some_seeds_imported_is_named(make: Make) -> None:
    with_it, without = Usage(packages={"numpy": "2.1", "apex": "1.0"}), {"numpy": "2.1"}
    runs = [make("a", with_it), make("b", Usage(packages=without)), make("c", with_it, variant="x")]
    assert list(difference_lines(find_differences(runs))) == [
        "toy: runs differ in their environment: apex 1.0 or none"
    ]
    assert list(difference_lines(find_differences(runs[1:]))) == []


def test_runs_of_another_environment_are_listed_as_behind(make: Make) -> None:
    old = Usage(python="3.11.7", packages={"numpy": "2.1.0", "gone": "1.0"})
    new = Usage(python="3.12.1", packages={"numpy": "2.4.0"})
    now = {"Python": "3.12.1", "numpy": "2.4.0", "CPU": "EPYC", "GPU": "H100"}
    runs = [
        make("a", old, **on("EPYC")),
        make("b", old, **on("EPYC")),
        make("c", new, **on("EPYC", "H100")),
        make("d", new, **on("EPYC", "A100")),
    ]
    assert list(behind_lines(find_behind(runs, lambda run: now))) == [
        "behind: finished in another environment than the present one, left alone",
        "  toy, 2 runs: Python 3.11.7 (now 3.12.1), numpy 2.1.0 (now 2.4.0)",
        "  toy, 1 run: GPU A100 (now H100)",
    ]
    assert list(behind_lines(find_behind(runs[2:3], lambda run: now))) == []


def test_the_present_environment_is_that_of_the_command(make: Make, tmp_path: Path) -> None:
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / "env/lib/python3.11/site-packages/numpy-1.2.3.dist-info").mkdir(parents=True)
    there = present_environment({})(make("a", command=("${env}", str(python), "${program}")))
    here = present_environment({})(make("b", command=("${env}", "${interpreter}", "${program}")))
    assert there["numpy"] == "1.2.3"
    assert "Python" not in there
    assert here["numpy"] not in ("1.2.3", None)
    assert here["Python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_run_is_behind_a_library_outside_of_the_project_that_was_edited(
    make: Make, tmp_path: Path
) -> None:
    module = tmp_path / "lab.py"
    module.write_text("depth = 3\n")
    status, digest = module.stat(), sha256(module)
    library = LibraryFile(str(module), status.st_mtime_ns, status.st_size, digest)
    gone = LibraryFile(str(tmp_path / "gone.py"), 1, 2, "3" * 64)
    runs = [make("a", Usage(libraries={"lab.py": library, "gone.py": gone}))]
    assert find_behind(runs, present_environment({})) == []
    os.utime(module, ns=(0, 0))
    assert find_behind(runs, present_environment({})) == []
    module.write_text("depth = 30\n")
    [line] = list(behind_lines(find_behind(runs, present_environment({}))))[1:]
    assert line == f"  toy, 1 run: lab.py {digest[:8]} (now {sha256(module)[:8]})"


def test_a_run_is_behind_the_environment_that_its_experiment_names_now(
    make: Make, tmp_path: Path
) -> None:
    packages = tmp_path / "study/.venv/lib/python3.12/site-packages"
    (packages / "numpy-2.4.0.dist-info").mkdir(parents=True)
    config = tmp_path / "study/.venv/pyvenv.cfg"
    config.write_text("home = /usr/bin\nversion_info = 3.12.1\n")
    lock = tmp_path / "study/uv.lock"
    lock.write_text("version = 1\n")
    usage = Usage(python="3.11.7", packages={"numpy": "2.1.0"})
    uv = ProgramEnvironment(kind="uv", sha256="1" * 64, python="3.11.7", wandb="0.31.0")
    runs = [make("a", usage, program_environment=uv), make("b", usage)]

    def lines(**named: str) -> list[str]:
        environment = EnvironmentSpec.from_json({k: str(tmp_path / v) for k, v in named.items()})
        assert environment
        found = find_behind(runs, present_environment({"toy": environment}))
        return list(behind_lines(found))[1:]

    both = "Python 3.11.7 (now 3.12.1), numpy 2.1.0 (now 2.4.0)"
    now = sha256(lock)[:8]
    assert lines(uv="study") == [
        f"  toy, 1 run: {both}, uv.lock 11111111 (now {now})",
        f"  toy, 1 run: {both}",
    ]
    assert lines(python="study/.venv/bin/python") == [f"  toy, 2 runs: {both}"]
    config.write_text("home = /usr/bin\nversion = 3.11.7\n")
    (packages / "numpy-2.4.0.dist-info").rename(packages / "numpy-2.1.0.dist-info")
    environments._installed.cache_clear()
    lock.unlink()
    assert lines(uv="study") == ["  toy, 1 run: uv.lock 11111111 (now gone)"]
    assert lines(python="study/.venv/bin/python") == []
    assert lines(apptainer="image.sif") == []


def test_an_image_is_known_by_the_file_that_was_checked(make: Make, tmp_path: Path) -> None:
    image = tmp_path / "image.sif"
    image.write_text("an image")
    status, named = image.stat(), EnvironmentSpec("apptainer", str(image))
    ran = ProgramEnvironment(kind="apptainer", sha256="1" * 64, python="3.11.7", wandb="0.31.0")
    runs = [make("a", Usage(packages={"wandb": "0.31.0"}), program_environment=ran)]
    MadeEnvironment(
        kind="apptainer",
        path=str(image),
        sha256="2" * 64,
        python="3.11.7",
        wandb="0.31.1",
        interpreter="/usr/bin/python3",
        prefix="/usr",
        watched=str(image),
        mtime_ns=status.st_mtime_ns,
        size=status.st_size,
        packages={"wandb": "0.31.1"},
    ).write(record_path(named, tmp_path / "results"))
    present = present_environment({"toy": named})
    text = "  toy, 1 run: wandb 0.31.0 (now 0.31.1), image 11111111 (now 22222222)"
    assert list(behind_lines(find_behind(runs, present)))[1:] == [text]
    image.write_text("another image")
    text = "  toy, 1 run: image 11111111 (now another file)"
    assert list(behind_lines(find_behind(runs, present)))[1:] == [text]
    record_path(named, tmp_path / "results").write_text("")  # damaged
    assert list(behind_lines(find_behind(runs, present)))[1:] == [text]


def test_changed_files_are_said_by_experiment(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("libs").mkdir()
    Path("libs/model.py").write_text("depth = 4\n")
    runs = [make("a", edited("old")), make("b", edited("old")), make("c")]
    runs[0].folder.code.mkdir(parents=True)
    assert list(changed_lines(find_changed(runs))) == [
        "ran with files that have changed, which aren't counted as code:",
        "  toy, 1 run: libs/model.py changed since it ran; snakemake trains them again",
        "  toy, 1 run: libs/model.py changed since it ran; left alone",
    ]
