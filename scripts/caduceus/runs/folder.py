"""The layout of a run's folder, results/runs/RUN."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """The paths below results/runs/RUN.

    Everything in `work` is undeclared to Snakemake, which deletes the declared outputs of a job
    before it starts the job again: the next attempt needs these files, or a finished run must keep
    them.
    """

    path: Path

    @classmethod
    def of_plan(cls, plan: Path, run_id: str) -> "RunFolder":
        """Return the folder of a run of the plan results/experiments/ID.json."""
        return cls(plan.parents[1] / "runs" / run_id)

    @property
    def params_json(self) -> Path:
        """The run's definition: see `runs.files.params`."""
        return self.path / "params.json"

    @property
    def run_json(self) -> Path:
        """The run's identity in W&B: see `runs.files.identity`."""
        return self.path / "run.json"

    @property
    def train_json(self) -> Path:
        """How its training ended: see `runs.files.train`."""
        return self.path / "train.json"

    @property
    def upload_json(self) -> Path:
        """The receipt for its artifacts: see `runs.files.upload`."""
        return self.path / "upload.json"

    @property
    def summary_json(self) -> Path:
        """The run as one object: see `runs.files.export`."""
        return self.path / "run_summary.json"

    @property
    def manifest_json(self) -> Path:
        """The exported files: see `runs.files.export`."""
        return self.path / "manifest.json"

    @property
    def server_json(self) -> Path:
        """The state of a remote run on its server: see `runs.files.server_state`."""
        return self.path / "server.json"

    @property
    def output(self) -> Path:
        """The files that the program left."""
        return self.path / "output"

    @property
    def further(self) -> Path:
        """The folders of further runs that the program started by calling `wandb.init` again."""
        return self.path / "further"

    @property
    def is_further(self) -> bool:
        """Whether this is the folder of a further run."""
        return self.path.parent.name == "further"

    @property
    def owner(self) -> Path:
        """The folder of the run whose program started this run: itself, but for further runs."""
        return self.path.parents[1] if self.is_further else self.path

    @property
    def results(self) -> Path:
        """The folder results/."""
        return self.owner.parents[1]

    @property
    def work(self) -> Path:
        """The files that a next attempt needs or a finished run must keep."""
        return self.path / "work"

    @property
    def code(self) -> Path:
        """The snapshot of the code, in which the program runs."""
        return self.work / "code"

    @property
    def program_output(self) -> Path:
        """The folder into which the program writes its results."""
        return self.work / "output"

    @property
    def commit(self) -> Path:
        """The commit that the snapshot was taken from: see `git.read_commit`."""
        return self.work / "commit.json"

    @property
    def experiment(self) -> Path:
        """The experiment file as it was when the run was planned."""
        return self.work / "experiment.yaml"

    @property
    def attempts(self) -> Path:
        """The folder with a file for each attempt."""
        return self.work / "attempts"

    def restored(self, attempt: int) -> Path:
        """Return the file on the checkpoint that an attempt restored: see `runs.files.attempt`."""
        return self.attempts / f"restored-{attempt}.json"

    def used(self, attempt: int) -> Path:
        """Return the folder in which an attempt's processes note the files that they use."""
        return self.attempts / f"used-{attempt}"

    @property
    def checkpoints(self) -> Path:
        """The program's checkpoints."""
        return self.work / "checkpoints"

    @property
    def lock(self) -> Path:
        """The file that is locked against other processes of this host during an attempt."""
        return self.work / "lock"

    @property
    def lease(self) -> Path:
        """The lease of an attempt, which counts on all hosts."""
        return self.work / "lease.json"

    @property
    def server(self) -> Path:
        """The log of a remote run, fetched from its server."""
        return self.work / "server"

    @property
    def delivery(self) -> Path:
        """The files of the upload to a server."""
        return self.work / "delivery"

    def wandb(self, attempt: int | str) -> Path:
        """Return the W&B folder of an attempt, or of the process that logs missing artifacts."""
        return self.work / "wandb" / str(attempt)
