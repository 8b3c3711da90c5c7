"""What was tracked of awkward programs is said where users look, with the real wandb."""

import json
from typing import Any

from projects import EXPERIMENT, ONE_RUN, Finished, Project

ROW = "{'val/accuracy': 1.0, 'val/loss': 1.0}"
PROGRAMS = {
    "elsewhere": (
        "import subprocess, sys\n"
        "code = '''import wandb\n"
        f'wandb.init(mode="offline", id="own", dir="own").log({ROW})\'\'\'\n'
        "import os; os.mkdir('own')\n"
        "subprocess.run([sys.executable, '-I', '-c', code], check=True)\n"
    ),
    "disabled": f"import wandb\nwandb.init(mode='disabled').log({ROW})\n",
    "silent": "print('nothing')\n",
    "empty": "import wandb\nwandb.init()\n",
    "folds": (
        "import multiprocessing, wandb\n"
        "def fold(number):\n"
        f"    with wandb.init(name=f'fold {{number}}', reinit=True) as run: run.log({ROW})\n"
        "if __name__ == '__main__':\n"
        "    start = multiprocessing.get_context('fork')\n"
        "    folds = [start.Process(target=fold, args=(n,)) for n in range(4)]\n"
        "    [fold.start() for fold in folds]; [fold.join() for fold in folds]\n"
        f"    wandb.init(name='mean').log({ROW})\n"
    ),
    "workers": (
        "import subprocess, sys\n"
        f"code = '''import wandb; wandb.init(name=\"b\").log({ROW})\n"
        f"wandb.init(name=\"a\", reinit=True).log({ROW})'''\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\n"
    ),
    "large": (
        f"import os, subprocess, sys, wandb\nwandb.init().log({ROW})\nos.makedirs('out/deep')\n"
        'code = \'import wandb; wandb.init(mode="offline", id="own", dir="out").log({"x": 1})\'\n'
        "subprocess.run([sys.executable, '-I', '-c', code], check=True)\n"
        "open('out/deep/last.pt', 'wb').write(b'x' * 1000)\n"
        "open('out/table.bin', 'wb').truncate(12_000_000)\n"
        "open('out/notes.txt', 'w').write('small')\n"
    ),
}


def run_all(project: Project) -> Finished:
    """Run an experiment for each program, and return how Snakemake ended."""
    files = []
    for name, program in PROGRAMS.items():
        project.write(f"experiments/{name}.py", program)
        spec: dict[str, Any] = EXPERIMENT | ONE_RUN
        spec |= {"id": name, "program": f"experiments/{name}.py"}
        project.write_yaml(f"experiments/{name}.yaml", spec | {"metric": {"name": "val/loss"}})
        files.append(f"experiments/{name}.yaml")
    project.change("config.yaml", experiments=files, paper={}, retries=1)
    return project.snakemake()


def last_attempt(project: Project, experiment: str) -> Any:
    (run,) = (path for path in project.runs if path.name.startswith(f"{experiment}-"))
    return json.loads((run / "train.json").read_text())["attempts"][-1]


def test_what_was_not_tracked_is_said_in_the_job_the_last_job_and_status(project: Project) -> None:
    built = run_all(project)
    assert built.code != 0
    status = project.caduceus("status").output
    assert last_attempt(project, "elsewhere")["attempt"] == 1  # another would be as futile
    for said in (built.output, status):
        lines = [line for line in said.splitlines() if "outside of its run" in line]
        (log,) = {
            word for line in lines for word in line.split() if "/work/code/own/wandb/" in word
        }
        assert "/offline-run-" in log and log.rstrip(",:").endswith("run-own.wandb")
    assert "elsewhere: 1 run, 1 failed" in status
    for experiment, why in {
        "disabled": "wandb is disabled in it, by mode='disabled'",
        "silent": "no process with the PYTHONPATH",
    }.items():
        assert f"{experiment}: 1 run, 1 finished" in status
        run = next(path.name for path in project.runs if path.name.startswith(experiment))
        assert f"caduceus train: {run}: finished, but nothing was tracked: {why}" in built.output
        note = f"1 finished run without any data, such as rate=0.1 seed 0: {why}"
        assert f"untracked: {experiment}: {note}" in built.output
        assert f"  untracked    {note}" in status
    assert "such as rate=0.1 seed 0: it called wandb.init, and logged neither" in status

    folds = last_attempt(project, "folds")["started_runs"]
    assert [(each["number"], each["is_own"]) for each in folds] == [
        (1, True),
        *((number, False) for number in (2, 3, 4, 5)),
    ]
    own = (
        f"5 runs started; this one is 'mean', that of the program itself, process {folds[0]['pid']}"
    )
    for said in (built.output, status):
        assert own in said and "; further: 'fold " in said and " and 1 more" in said

    workers = last_attempt(project, "workers")["started_runs"]
    assert len({each["pid"] for each in workers}) == 1
    assert [each["name"] for each in workers if each["is_own"]] == ["b"]  # one process has an order
    assert "this one is 'b', that of process" in status
    assert "as the program itself logged nothing; further: 'a' of the same process" in status

    left = "2 files (12 MB) only in work/code, neither archived nor uploaded: "
    left += "out/table.bin, out/deep/last.pt; to keep such files, pass ${output_dir} in `command`"
    assert left in built.output and left in status
    note = "logged to W&B outside of its run, to results/runs/large-"
    assert f"  elsewhere    rate=0.1 seed 0: {note}" in status and note in built.output
