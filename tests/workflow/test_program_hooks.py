"""The start-up shim under programs of awkward kinds, with the real wandb."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from caduceus.wandb_log import find_logs, read_log
from program_runs import RUN, logged, start


def used(project: Path) -> list[dict[str, Any]]:
    """The notes of all processes."""
    files = sorted((project / "results/runs" / RUN / "used").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.mark.parametrize(
    "asked",
    [
        "importlib.util.find_spec('wandb')",
        "pkgutil.find_loader('wandb') if hasattr(pkgutil, 'find_loader') else 0",
        "__import__('wandb'); [sys.modules.pop(n) for n in list(sys.modules) if n[:5] == 'wandb']",
        "__import__('importlib').reload(__import__('wandb'))",
    ],
)
def test_the_run_is_tracked_whoever_asked_for_wandb_before(tmp_path: Path, asked: str) -> None:
    done = start(
        tmp_path,
        "import importlib.util, pkgutil, sys, warnings\nwarnings.simplefilter('ignore')\n"
        f"{asked}\nimport wandb\n"
        "wandb.init(project='other', id='own', dir='own').log({'loss': 1.0})\n",
    )
    assert done.returncode == 0, done.stderr
    assert list(logged(tmp_path)) == [RUN]


def test_the_first_process_has_the_run_whichever_starts_first(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        "import multiprocessing, wandb\n"
        "def fold(number):\n"
        "    with wandb.init(name=f'fold {number}', reinit=True) as run:\n"
        "        run.log({'fold': number})\n"
        "if __name__ == '__main__':\n"
        "    start = multiprocessing.get_context('fork')\n"
        "    folds = [start.Process(target=fold, args=(n,)) for n in range(3)]\n"
        "    [fold.start() for fold in folds]; [fold.join() for fold in folds]\n"
        "    run = wandb.init(name='mean'); run.log({'mean': 1.2}); run.finish()\n",
    )
    assert done.returncode == 0, done.stderr
    runs = logged(tmp_path)
    assert sorted(runs) == [RUN, *(f"{RUN}-{n}" for n in (2, 3, 4))]
    assert "mean" in runs[RUN].history[0]
    notes = (tmp_path / "results/runs" / RUN / "wandb/started-runs.jsonl").read_text()
    first = [note for note in map(json.loads, notes.splitlines()) if note["is_first_process"]]
    assert [(note["number"], note["name"]) for note in first] == [(1, "mean")]


@pytest.mark.parametrize(
    ("own", "variables"),
    [("id='own', resume='must'", {}), ("", {"WANDB_RUN_ID": "own"})],
)
def test_a_run_goes_on_in_the_next_process_that_names_its_id(
    tmp_path: Path, own: str, variables: dict[str, str]
) -> None:
    """A step of its own isn't one that went back, since each process counts from 0."""
    child = f"import sys, wandb; wandb.init({own}).log({{sys.argv[1]: 1.0}}, step=2)"
    done = start(
        tmp_path,
        "import os, subprocess, sys, wandb\n"
        "for phase in ('train', 'test'):\n"
        f"    subprocess.run([sys.executable, '-c', {child!r}, phase], check=True, "
        f"env=os.environ | {variables})\n"
        "for name in ('first', 'second'):\n"
        "    run = wandb.init(id='x')\n    run.log({name: 1}, step=4)\n    run.finish()\n",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {}
    for log in find_logs(tmp_path / "results/runs" / RUN):
        segment = read_log(log)
        assert segment.run
        found.setdefault(segment.run.id, set()).update(*segment.history)
    names = {"train", "test", "first", "second"}
    assert {run: logged & names for run, logged in found.items()} == {
        RUN: {"first", "second"},
        f"{RUN}-2": {"train", "test"},
    }
    assert not [*(tmp_path / "results/runs" / RUN / "wandb").glob("dropped-rows-*")]


def test_a_process_without_the_hooks_logs_a_run_of_its_own(tmp_path: Path) -> None:
    fold = "import wandb; wandb.init(name='fold').log({'loss': 20.0})"
    done = start(
        tmp_path,
        "import subprocess, sys, wandb\n"
        f"subprocess.run([sys.executable, '-I', '-c', {fold!r}], check=True)\n"
        "wandb.init().log({'loss': 1.0})\n",
    )
    assert done.returncode == 0, done.stderr
    runs = logged(tmp_path)
    assert [row["loss"] for row in runs.pop(RUN).history] == ["1"]
    (other,) = runs.values()
    assert [row["loss"] for row in other.history] == ["20"]


def test_a_launchers_process_of_rank_0_has_the_run(tmp_path: Path) -> None:
    """Also in a SLURM job, where every process has a SLURM_PROCID."""
    worker = "import wandb; wandb.init(name='worker').log({'loss': 1.0})"
    launcher = (
        "import os, subprocess, sys, wandb\n"
        f"subprocess.run([sys.executable, '-c', {worker!r}], check=True, env=os.environ | {{}})\n"
    )
    start(tmp_path, launcher.replace("{}", "{'RANK': '0'}"), SLURM_PROCID="0")
    assert list(logged(tmp_path)) == [RUN]
    (tmp_path / "plain").mkdir()
    start(tmp_path / "plain", launcher, SLURM_PROCID="0")
    assert list(logged(tmp_path / "plain")) == [f"{RUN}-2"]


def test_what_a_program_reports_of_a_parameter_is_recorded(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        "import argparse, wandb\n"
        "run = wandb.init(config={'model': {'depth': 2}, 'own': 1})\n"
        "assert run.config['model'] == {'depth': 2, 'width': 128}, run.config\n"
        "assert run.config.batch_size == 64\n"
        "run.config.update({'batch_size': 32}, allow_val_change=True)\n"
        "run.config.update(argparse.Namespace(seed=0, late=3))\n"
        "run.config.model = {'depth': 2, 'width': 256}\n"
        "try:\n"
        "    run.config.update({'own': 2})\n"
        "except Exception as error:\n"
        "    assert type(error).__name__ == 'ConfigError'\n"
        "else:\n"
        "    raise SystemExit('a change of its own that plain wandb refuses')\n"
        "run.config.update({'batch_size': 16})\n",
    )
    assert done.returncode == 0, done.stderr
    assert "locked" not in done.stderr
    config = logged(tmp_path)[RUN].config
    assert {name: config[name] for name in ("batch_size", "model", "seed", "own", "late")} == {
        "batch_size": 16,
        "model": {"depth": 2, "width": 256},
        "seed": 0,
        "own": 1,
        "late": 3,
    }


FLAGS = """
class FlagValues:
    def __dir__(self):
        return ["batch_size"]
    def __getitem__(self, name):
        return types.SimpleNamespace(value=32)
FlagValues.__module__ = "absl.flags._flagvalues"
sys.modules["absl.flags._flagvalues"] = module = types.ModuleType("absl.flags._flagvalues")
module.FlagValues = FlagValues
"""


@pytest.mark.parametrize(
    "given",
    [
        "FlagValues()",
        "'given.yaml'",
        "argparse.Namespace(batch_size=32, weights=numpy.array([1, 2]))",
        "{'--batch_size': 32, 'pair': (1, 2)}",
    ],
)
def test_a_parameter_is_changed_by_whatever_wandb_takes(tmp_path: Path, given: str) -> None:
    """Plain wandb has no value before this one, so that it doesn't ask for allow_val_change."""
    done = start(
        tmp_path,
        f"import argparse, numpy, pathlib, sys, types, wandb\n{FLAGS}\n"
        "pathlib.Path('given.yaml').write_text('batch_size: {value: 32}')\n"
        f"run = wandb.init(config={{'batch_size': 8}})\nrun.config.update({given})\n"
        "assert run.config.batch_size == 32, run.config\n",
    )
    assert done.returncode == 0, done.stderr
    assert logged(tmp_path)[RUN].config["batch_size"] == 32


def test_rows_that_wandb_drops_are_noted(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        "import wandb\nrun = wandb.init()\n"
        "for step in range(10):\n    run.log({'loss': step}, step=step)\n"
        "for step in range(4):\n    run.log({'val/acc': step}, step=step)\n"
        "run.log({'lost': 1}, step=2, commit=True)\nrun.log({'kept': 1}, step=9)\n"
        "run.log({'last': 1})\nrun.log({'after': 1}, step=9)\n",
    )
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "results/runs" / RUN / "wandb").glob("dropped-rows-*.jsonl")
    notes = [json.loads(line) for line in file.read_text().splitlines()]
    kept = {int(row["_step"]) for row in logged(tmp_path)[RUN].history}
    assert [(note["step"], note["names"]) for note in notes] == [
        *((step, ["val/acc"]) for step in range(4)),
        (2, ["lost"]),
        (9, ["after"]),
    ]
    assert kept == set(range(10))
    names = {name for row in logged(tmp_path)[RUN].history for name in row}
    assert {"kept", "last"} <= names and not {"val/acc", "lost", "after"} & names


ENDED_BY_DEFAULT = """
def end(number, frame):
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
signal.signal(signal.SIGTERM, end)
"""


@pytest.mark.parametrize(
    ("handler", "returncode"),
    [
        ("", -signal.SIGTERM),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))", 3),
        (ENDED_BY_DEFAULT, -signal.SIGTERM),
        # A library restores the handler from before its own.
        (
            "before = signal.signal(signal.SIGTERM, lambda *_: None)\n"
            "signal.signal(signal.SIGTERM, before)",
            -signal.SIGTERM,
        ),
    ],
)
def test_a_terminated_program_keeps_its_rows(tmp_path: Path, handler: str, returncode: int) -> None:
    done = start(
        tmp_path,
        "import os, signal, sys, wandb\nrun = wandb.init()\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        f"{handler}\n"
        "for step in range(31):\n    run.log({'loss': step}, step=step)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()\n",
    )
    assert done.returncode == returncode, done.stderr
    assert [int(row["_step"]) for row in logged(tmp_path)[RUN].history] == list(range(31))


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGXCPU"])
def test_a_program_that_another_signal_ends_keeps_its_rows(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    done = start(
        tmp_path,
        "import os, signal, wandb\nrun = wandb.init()\n"
        "for step in range(31):\n    run.log({'loss': step}, step=step)\n"
        f"os.kill(os.getpid(), signal.{name})\nsignal.pause()\n",
    )
    assert done.returncode == -number, done.stderr
    segment = logged(tmp_path)[RUN]
    assert (len(segment.history), segment.exit_code) == (31, 128 + number)


def test_a_forked_process_has_the_default_actions(tmp_path: Path) -> None:
    """A handler of Python would wait for the end of a call in C, and no run of its own is there."""
    done = start(
        tmp_path,
        "import os, re, signal, wandb\n"
        "def catches():\n"
        "    mask = re.search(r'SigCgt:\\s*(\\w+)', open('/proc/self/status').read())[1]\n"
        "    return int(mask, 16) >> (signal.SIGTERM - 1) & 1\n"
        "run = wandb.init()\n"
        "pid = os.fork()\n"
        "if not pid:\n    os._exit(catches())\n"
        "assert catches() and os.waitpid(pid, 0)[1] == 0\n",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("before", ["", "wandb.init(name='parent').log({'parent': 1})"])
def test_forked_workers_log_whole_runs_of_their_own(tmp_path: Path, before: str) -> None:
    """Whether or not their parent has a run, and though nothing of theirs ends it."""
    done = start(
        tmp_path,
        "import multiprocessing, os, signal, wandb\n"
        "def fold(number):\n"
        "    run = wandb.init(name=f'fold {number}')\n"
        "    for step in range(31):\n        run.log({'fold': number})\n"
        "    if number == 1:\n        raise SystemExit('failed')\n"
        "    if number == 2:\n        os.kill(os.getpid(), signal.SIGTERM); signal.pause()\n"
        "if __name__ == '__main__':\n"
        f"    {before or 'pass'}\n"
        "    start = multiprocessing.get_context('fork')\n"
        "    folds = [start.Process(target=fold, args=(n,)) for n in range(3)]\n"
        "    [fold.start() for fold in folds]; [fold.join() for fold in folds]\n",
    )
    assert done.returncode == 0, done.stderr
    runs = logged(tmp_path)
    assert (RUN in runs) == bool(before)
    found = {run.run.name: run for name, run in runs.items() if name != RUN and run.run}
    assert {name: len(run.history) for name, run in found.items()} == {
        f"toy seed=0, fold {number}": 31 for number in range(3)
    }
    if not before:  # else wandb-core, which all share, may write an exit code of its own
        codes = {name: run.exit_code for name, run in found.items()}
        assert [codes[name] for name in sorted(codes)] == [0, 1, 128 + signal.SIGTERM]


def test_a_terminated_program_keeps_the_rows_of_a_thread(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        "import os, signal, threading, wandb\n"
        "def train():\n"
        "    run = wandb.init()\n"
        "    for step in range(31):\n        run.log({'loss': step}, step=step)\n"
        "thread = threading.Thread(target=train)\nthread.start()\nthread.join()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()\n",
    )
    assert done.returncode == -signal.SIGTERM, done.stderr
    segment = logged(tmp_path)[RUN]
    assert [int(row["_step"]) for row in segment.history] == list(range(31))
    assert segment.exit_code == 128 + signal.SIGTERM


def test_a_notebook_starts_another_run_as_it_does_by_hand(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance()\nimport wandb\n"
        "wandb.init(name='a').log({'loss': 1.0})\n"
        "wandb.init(name='b').log({'loss': 2.0})\nwandb.finish()\n",
    )
    assert done.returncode == 0, done.stderr
    assert sorted(logged(tmp_path)) == [RUN, f"{RUN}-2"]


@pytest.mark.parametrize(
    ("after", "batch_size", "model"),
    [
        ("", 32, {"width": 256, "depth": 2}),  # used as they were parsed, or changed since
        ("'own' in run.config, print(run.config), run.config.own", 32, {"width": 256, "depth": 2}),
        ("assert wandb.config.batch_size == 64", 64, {"width": 256, "depth": 2}),
        ("assert run.config.get('batch_size') == 64", 64, {"width": 256, "depth": 2}),
        ("assert run.config['model']['width'] == 128", 32, {"width": 128, "depth": 2}),
        ("assert dict(**wandb.config)['batch_size'] == 64", 64, {"width": 128, "depth": 2}),
        ("assert run.config.as_dict()['batch_size'] == 64", 64, {"width": 128, "depth": 2}),
        ("run.config.update({'batch_size': 32}); {**run.config}", 32, {"width": 128, "depth": 2}),
        ("run.config.batch_size = 16; run.config.batch_size", 16, {"width": 256, "depth": 2}),
        (
            "import os; own = run.config; pid = os.fork(); width = own.model['width']\n"
            "if not pid: os._exit(width != 256)\n"  # what it reads is what is recorded
            "assert os.waitpid(pid, 0)[1] == 0 and width == 128",
            32,
            {"width": 128, "depth": 2},
        ),
    ],
)
def test_a_parameter_of_init_is_the_programs_until_it_reads_the_config(
    tmp_path: Path, after: str, batch_size: int, model: dict[str, int]
) -> None:
    """A program may halve its batch size before `wandb.init`, or pass defaults there."""
    done = start(
        tmp_path,
        "import wandb\n"
        "config = {'batch_size': 32, 'model': {'width': 256, 'depth': 2}, 'seed': '0', 'own': 1}\n"
        f"run = wandb.init(config=config)\n{after}\nrun.log({{'loss': 1.0}})\n",
    )
    assert done.returncode == 0, done.stderr
    config = logged(tmp_path)[RUN].config
    assert {name: config[name] for name in ("batch_size", "model", "seed", "own")} == {
        "batch_size": batch_size,
        "model": model,
        "seed": 0,
        "own": 1,
    }


def test_the_first_run_of_a_notebook_is_the_run(tmp_path: Path) -> None:
    """As with papermill: the kernel is a child of the process that Caduceus started."""
    (tmp_path / "kernel.py").write_text(
        "import wandb\n"
        "for name in ('pretraining', 'finetuning'):\n"
        "    with wandb.init(name=name) as run:\n        run.log({name: 1.0})\n"
    )
    done = start(
        tmp_path,
        "import os, subprocess, sys\n"
        "environment = os.environ | {'JPY_PARENT_PID': str(os.getpid())}\n"
        "subprocess.run([sys.executable, 'kernel.py'], env=environment, check=True)\n",
    )
    assert done.returncode == 0, done.stderr
    found = logged(tmp_path)
    assert "pretraining" in found[RUN].history[0]
    assert "finetuning" in found[f"{RUN}-2"].history[0]


def test_files_that_were_used_and_packages_are_noted(tmp_path: Path) -> None:
    for name, text in {
        "plugins/__init__.py": "",
        "plugins/deep.py": "VALUE = open('settings/deep.yaml').read()",
        "settings/deep.yaml": "depth: 3",
        "helper.py": "import csv; print(open('data.csv').read())",
        "data.csv": "1,2",
        "unused.py": "",
        ".env": "SECRET=1",
        "results/old.json": "{}",
        "lib.egg-info/PKG-INFO": "Version: 1",
        "run.sh": f"{sys.executable} helper.py",
        "items.db": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = start(
        tmp_path,
        "import importlib, subprocess, numpy\n"
        "open('.env'); open('results/old.json'); open('lib.egg-info/PKG-INFO')\n"
        "open('written.txt', 'w').write('x')\n"
        "import sqlite3; sqlite3.connect('items.db').execute('select 1'); "
        "sqlite3.connect(':memory:')\n"
        "name = 'deep'; importlib.import_module(f'plugins.{name}')\n"
        "subprocess.run(['bash', 'run.sh'], check=True)\n",
    )
    assert done.returncode == 0, done.stderr
    notes = [note for note in used(tmp_path) if "path" in note]
    files = {Path(note["path"]).relative_to(tmp_path).as_posix(): note for note in notes}
    assert set(files) == {
        "program.py",
        "plugins/__init__.py",
        "plugins/deep.py",
        "settings/deep.yaml",
        "helper.py",
        "data.csv",
        "run.sh",
        "items.db",
    }
    assert files["data.csv"]["size"] == 3
    packages = [note["packages"] for note in used(tmp_path) if "packages" in note]
    assert any("numpy" in names for names in packages)
    assert any("csv" in names and "numpy" not in names for names in packages)


def noted(project: Path) -> set[str]:
    """The files of the project that were read."""
    notes = [note["path"] for note in used(project) if "path" in note]
    return {Path(path).relative_to(project).as_posix() for path in notes} - {"program.py"}


def test_files_are_noted_through_links_commands_and_changed_folders(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for name, text in {
        "project/pkg/results/metric.py": "VALUE = 1",
        "project/a/same.txt": "1",
        "project/b/same.txt": "2",
        "project/conf/fit.json": "{}",
        "project/fit.sh": "true",
        "project/isolated.py": "",
        "outside/shared.py": "",
        "outside/shared.txt": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (project / "linked").symlink_to(outside)
    done = start(
        project,
        "import importlib, os, subprocess, sys\n"
        "[importlib.import_module(n + m) for n, m in (('pkg.results.', 'metric'), "
        "('linked.', 'shared'))]\n"
        "open('linked/shared.txt')\n"
        "for folder in ('a', 'b'):\n"
        "    os.chdir(folder); open('same.txt'); os.chdir('..')\n"
        "subprocess.run('sh fit.sh --config=conf/fit.json', shell=True, check=True)\n"
        "subprocess.run([sys.executable, '-I', 'isolated.py'], check=True)\n",
    )
    assert done.returncode == 0, done.stderr
    assert noted(project) == {
        *("pkg/results/metric.py", "linked/shared.py", "a/same.txt", "b/same.txt"),
        *("conf/fit.json", "fit.sh", "isolated.py"),
    }
    assert {"and_more": True} in used(project)


def test_modules_from_outside_of_the_project_are_noted(tmp_path: Path) -> None:
    """Not those of the snapshot, of Python, or of installed packages."""
    project, lab = tmp_path / "project", tmp_path / "lab"
    code = project / "results/runs" / RUN / "work/code"
    for path in (lab / "lab/__init__.py", lab / "lab/model.py", code / "own.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    done = start(
        project,
        f"import sys\nsys.path[:0] = [{str(lab)!r}, {str(code)!r}]\n"
        "import csv, lab.model, numpy, own, types, wandb\n"
        "class Lazy(types.ModuleType):\n"
        "    def __getattribute__(self, name):\n        raise ImportError(name)\n"
        "sys.modules.update(lazy=Lazy('lazy'), absent=None)\n",
    )
    assert done.returncode == 0, done.stderr
    [libraries] = [note["libraries"] for note in used(project) if "libraries" in note]
    assert {name: file["path"] for name, file in libraries.items()} == {
        "lab": str(lab / "lab/__init__.py"),
        "lab.model": str(lab / "lab/model.py"),
    }


def test_code_is_noted_after_any_number_of_files(tmp_path: Path) -> None:
    (tmp_path / "late.py").touch()
    done = start(
        tmp_path,
        "import caduceus_shim.used_files as u\nu._MAX_FILES = 2\n"
        "for n in range(50):\n    open(f'{n}.txt', 'x').close()\n"
        "name = 'late'; __import__(name)\n",
    )
    assert done.returncode == 0, done.stderr
    assert noted(tmp_path) == {"late.py"}
    assert {"and_more": True} in used(tmp_path)


def test_a_module_that_stands_in_for_wandb_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wandb.py").write_text("def init(): return 3\n")
    done = start(tmp_path, "import wandb\nassert wandb.init() == 3\n")
    assert done.returncode == 0, done.stderr


def test_the_projects_own_packages_come_from_the_snapshot(tmp_path: Path) -> None:
    """Whether a path or setuptools' mapping leads to the project's folder."""
    code = tmp_path / "results/runs" / RUN / "work/code"
    for folder, text in ((tmp_path, "live"), (code, "snapshot")):
        for name in ("src/mypkg/__init__.py", "lib/mapped/__init__.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"WHERE = {text!r}")
    environment = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/*/site-packages")
    (site / "mypkg.pth").write_text(f"{tmp_path / 'src'}\nimport __editable___finder\n")
    (site / "__editable___finder.py").write_text(
        "import importlib.util, sys\n"
        f"MAPPING = {{'mapped': {str(tmp_path / 'lib/mapped')!r}}}\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in MAPPING:\n"
        "            place = MAPPING[name] + '/__init__.py'\n"
        "            return importlib.util.spec_from_file_location(name, place)\n"
        "sys.meta_path.append(Finder)\n"
    )
    program = "import mapped, mypkg; print(mypkg.WHERE, mapped.WHERE)"
    done = start(tmp_path, program, python=str(environment / "bin/python"))
    assert done.stdout.split() == ["snapshot", "snapshot"], done.stdout + done.stderr


def test_a_wandb_without_its_private_names_says_what_is_off(tmp_path: Path) -> None:
    (tmp_path / "wandb.py").write_text(
        "__version__ = '0.9'\nrun = None\n"
        "class Config(dict):\n"
        "    def update(self, values, allow_val_change=None):\n        super().update(values)\n"
        "class Run:\n    id, config = 'x', Config()\n    def finish(self, exit_code): pass\n"
        "def init(**arguments): return Run()\n"
        "def login(**arguments): return True\n"
    )
    done = start(tmp_path, "import wandb\nprint(wandb.init().config['batch_size'])\nwandb.init()")
    assert (done.returncode, done.stdout) == (0, "64\n"), done.stderr
    said = [line for line in done.stderr.splitlines() if "wandb 0.9 " in line]
    assert [line.partition(": ")[2] for line in said] == [
        "wandb 0.9 lacks wandb.sdk.wandb_run.Run: rows that W&B drops aren't counted",
        "wandb 0.9 lacks wandb.sdk.wandb_config.Config: the experiment's parameters aren't in "
        "wandb.config as the program changes them",
        "wandb 0.9 lacks wandb.sdk.wandb_run.Run: SIGTERM may take the last rows",
        "wandb 0.9 before 0.31: kill -9, running out of memory or a lost node take all rows since "
        "the last 32 KiB of the log",
    ]
