"""The lines of a build: finished steps, failures, and Snakemake's lines that are dropped."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from caduceus.io.phrases import printable
from caduceus.overview.forecasts import duration_text
from caduceus.system.snakemake_dry_run import REPORTING

# Snakemake's lines without an event that say nothing about this build, by their beginning.
_NOISE = (
    *("Building DAG of jobs...", "Using shell: ", "Select jobs to execute...", "Complete log(s): "),
    *("Elapsed time: ", "Shutting down, this might take some time.", "Group jobs: inactive"),
    "Assuming unrestricted shared filesystem usage.",
    *("Exiting because a job execution failed.", "SLURM job ", "Grid Engine job ", "PBS job "),
    *("LSF job ", "HTCondor job "),
    *("Terminating processes on user request", "Removing output files of failed job "),
)
_FAILED_JOB = re.compile(r"RuleException:?\n?.*CalledProcessError in file ", re.DOTALL)
_RESTARTED = re.compile(r"Trying to restart job (\d+)")
_UNSUCCESSFUL = "At least one job did not complete successfully."
_SEE_LOG = "For further error details see the cluster/cloud log"  # of every remote executor
_OWN = re.compile(r"^caduceus [a-z-]+: ")
_TAIL = 8192  # bytes of a log in which its last line is looked for
_LONGEST = 400  # characters of a reason


def is_noise(message: str) -> bool:
    """Whether a line of Snakemake says nothing about this build, or only that a job failed."""
    is_repeated = message.startswith("WorkflowError:") and message.strip().endswith(_UNSUCCESSFUL)
    return message.startswith(_NOISE) or is_failed_job(message) or is_repeated


def is_failed_job(message: str) -> bool:
    """Whether this is Snakemake's exception of a job whose command failed."""
    return bool(_FAILED_JOB.match(message))


def restarted_job(message: str) -> int | None:
    """Return the number of the job that Snakemake starts again; None for another message."""
    found = _RESTARTED.match(message)
    return int(found[1]) if found else None


def reports_failures(command: str | None) -> bool:
    """Whether a job's command lists failures itself, such as that of the last job."""
    return any(f"-m caduceus {name.replace('_', '-')} " in (command or "") for name in REPORTING)


def failure_reason(message: str | None, logs: Iterable[str]) -> str:
    """Return why a job failed, in one line: the last line of its first log that has any, and where.

    Args:
        message: what the executor says, such as how a SLURM job ended.
        logs: the paths of the job's logs.
    """
    said = [" ".join((message or "").partition(_SEE_LOG)[0].split())]
    paths = list(logs)
    said.append(_OWN.sub("", _last_line(paths)))
    reason = printable(" ".join(filter(None, said)))[:_LONGEST] or "see the lines above"
    log = next((path for path in paths if path in reason), None)
    return reason if log or not paths or "; see results/" in reason else f"{reason}; see {paths[0]}"


def was_said(logs: Iterable[str]) -> bool:
    """Whether the reason in a job's logs is of Caduceus, which writes it to standard error too."""
    return bool(_OWN.match(_last_line(logs)))


def finished_line(name: str, seconds: float, about: str = "") -> str:
    """Return the line of a finished run or step."""
    return printable(f"{name}: {duration_text(seconds)}{about and f', {about}'}")


def totals_line(runs: Mapping[str, int], done: int, total: int, seconds: float) -> str:
    """Return the line that sums a build up: "20 runs: 19 finished, 1 failed; ..."."""
    states = ", ".join(f"{count:,} {state}" for state, count in runs.items())
    runs_text = f"runs: {states}; " if states else ""
    return f"{runs_text}{done:,} of {total:,} steps in {duration_text(seconds)}"


def _last_line(logs: Iterable[str]) -> str:
    """Return the last line of the first log that has one that isn't blank; empty without one."""
    for path in map(Path, logs):
        with suppress(OSError), path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL))
            lines = stream.read().decode(errors="replace").split("\n")
            if line := next((line for line in reversed(lines) if line.strip()), ""):
                return line.strip()
    return ""
