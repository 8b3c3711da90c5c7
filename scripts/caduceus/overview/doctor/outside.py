"""Checks of the W&B account and its server, the cluster's scheduler and git."""

from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import AccountError, CaduceusError, SchedulerError, ServerError, SlurmError
from caduceus.overview.doctor.findings import Finding
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.system import git, slurm
from caduceus.system.schedulers.known import installed_schedulers
from caduceus.system.wandb_account import find_account


def look_at_account(project: ProjectPath, is_online: bool) -> Iterator[Finding]:
    """Check the account and its server, which runs need only online; never show the key.

    Args:
        project: the W&B project of the runs.
        is_online: whether config.yaml says `wandb.mode: online`.
    """
    try:
        account = find_account()
    except AccountError as error:
        if is_online:
            yield Finding("error", "W&B", str(error), "or set wandb.mode: offline")
        else:
            yield Finding("fine", "W&B", "offline without an account; none is needed")
        return
    yield Finding("fine", "W&B", f"key from {account.key_from} for {account.base_url}")
    # Imported here, as they take a third of a second that a project without a key needn't spend.
    from caduceus.server.access import check_access
    from caduceus.server.client import Server

    try:
        server = Server(account, patience_s=0, timeout_s=(1, 2))
        entity = check_access(server, project, must_write=False).entity
        yield Finding("fine", "W&B server", f"answers, and knows {entity}")
    except ServerError as error:
        if is_online:
            yield Finding("error", "W&B server", str(error), "check the network and proxies")
        else:
            yield Finding("warning", "W&B server", str(error), "offline, nothing needs it")
    except CaduceusError as error:
        yield Finding("error" if is_online else "warning", "W&B server", str(error))


def look_at_schedulers() -> Iterator[Finding]:
    """Check the schedulers that are here: whether they answer, and which profile is theirs."""
    found = installed_schedulers()
    if slurm.is_installed() or not found:
        yield _look_at_slurm()
    for scheduler in found:
        try:
            count = len(scheduler.jobs(time_limit_s=1))
        except SchedulerError as error:
            yield Finding("warning", scheduler.title, str(error))
            continue
        text = f"answers; your jobs in its queue: {count}; a job for each run:"
        use = f"snakemake --workflow-profile workflow/profiles/{scheduler.name}"
        yield Finding("fine", scheduler.title, f"{text} {use}")


def _look_at_slurm() -> Finding:
    try:
        cpus = slurm.largest_node(None, time_limit_s=1)
    except SlurmError as error:
        if "there is no" in str(error):
            return Finding(
                "fine", "scheduler", "none here: no SLURM, Grid Engine, PBS, LSF, HTCondor"
            )
        return Finding("warning", "SLURM", str(error))
    return Finding("fine", "SLURM", f"answers; its largest node has {cpus} CPUs")


def look_at_git(folder: Path) -> Finding:
    """Check whether a run can record its git commit."""
    changed = git.changed_files(folder)
    if changed is None:
        mend = "git init && git add -A && git commit"
        return Finding("warning", "git", "no commit here, so runs record none", mend)
    commit = str(git.read_commit([], folder)["commit"])[:12]
    if changed:
        text = f"commit {commit}; changed since, or unknown to git: {len(changed)}"
        return Finding("warning", "git", text, "commit before the runs of a paper")
    return Finding("fine", "git", f"commit {commit}, nothing changed since")


def look_at_env_file(folder: Path) -> Iterator[Finding]:
    """Check that `.env` is readable by its owner alone, and not in git."""
    path = folder / ".env"
    if not path.exists():
        return
    if git.is_tracked(path.name, folder):
        mend = "git rm --cached .env, and make a new key: the old one is in the history"
        yield Finding("error", ".env", "git has it, and with it the key", mend)
    elif path.stat().st_mode & 0o077:
        yield Finding("warning", ".env", "others on this machine can read it", "chmod 600 .env")
    else:
        yield Finding("fine", ".env", "readable by its owner alone, and not in git")
