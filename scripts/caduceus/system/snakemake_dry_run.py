"""List the jobs that Snakemake would run, by a dry run in a process of its own."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from caduceus.errors import SpecError
from caduceus.system import processes
from caduceus.system.recorded_reads import adopt, reads_elsewhere
from caduceus.system.snakemake_job_list import WHOLE
from caduceus.system.snakemake_process import dry_run_stamp

# Finds modules where this process does, as the stamp goes by that.
_PROCESS = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from caduceus.system.snakemake_process import list_jobs
sys.exit(list_jobs(sys.argv[2:], whole=sys.argv[1] == "whole"))
"""
_SNAKEMAKES = Path(".snakemake")  # the folder of Snakemake, which writes there in a dry run too
_TIME_LIMIT_S = 1800.0
_PLACED = re.compile(r"([^:]+:\d+): ")  # FILE:LINE before a message
_IN_FILE = re.compile(r'(\w+) in file "([^"]+)", line (\d+):\s+(.*)', re.DOTALL)  # Snakemake's own
REPORTING = ("report_failures", "report_refuted")


class UnwritableError(SpecError):
    """Snakemake can't plan, as it can't write beside the project."""


@dataclass(frozen=True)
class Job:
    """A job that would run.

    Attributes:
        rule: its rule. A rule of Caduceus has the name that it has there, even if the user's
            Snakefile imports it under another one.
        wildcards: the values of the rule's wildcards, such as the run's id.
        outputs: the files that it makes.
        reason: why it would run, in Snakemake's words.
        params: the definition or identity that a run gets from it, as JSON.
        threads: the number of processor threads that a training takes.
    """

    rule: str
    wildcards: Mapping[str, str]
    outputs: Sequence[str]
    reason: str
    params: Mapping[str, str]
    threads: int

    @property
    def run(self) -> str | None:
        """The id of its run, if it belongs to one."""
        return self.wildcards.get("run")

    @property
    def item(self) -> str:
        """Its result, by the name that `caduceus why` takes: tables/NAME, groups/NAME, report."""
        return item_of(self.outputs[0])


def is_result(path: str) -> bool:
    """Whether a path leads through a folder results/; a module's may be in a folder of its own."""
    return "results" in PurePath(path).parts[:-1]


def item_of(path: str) -> str:
    """Return the short name of a result: runs/RUN, tables/NAME, report."""
    parts = PurePath(path).parts
    parts = parts[parts.index("results") + 1 :] if is_result(path) else parts
    parts = parts[parts[0] == "paper" :]
    if parts[0] in ("runs", "groups", "sweeps", "datasets") and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "report":
        return "report"
    return PurePath(*parts).with_suffix("").as_posix()


def planned_jobs(arguments: Sequence[str]) -> list[Job]:
    """Return the jobs that `snakemake ARGUMENTS` would run, without those that make no file.

    Raises:
        SpecError: the dry run fails, with Snakemake's message, or takes more than half an hour.
        UnwritableError: Snakemake can't write into its folder, and no stamp answers.
    """
    stamp = dry_run_stamp(arguments)
    if stamp.answer() is not None:
        adopt(stamp.states)
        return []
    folder = _SNAKEMAKES if _SNAKEMAKES.exists() else Path()
    if not os.access(folder, os.W_OK):
        raise UnwritableError(
            "Snakemake can't plan where it can't write; copy the project, and ask there",
            str(folder.absolute()),
        )
    with reads_elsewhere():
        answer = _dry_run("", arguments)
        if answer is not None and WHOLE in answer.output.splitlines():
            answer = _dry_run("whole", arguments)
        stamp.answer()
    adopt(stamp.states)
    if answer is None:
        raise SpecError(
            "Snakemake's dry run takes more than half an hour; run `snakemake --dry-run` to see why"
        )
    entries = [json.loads(line) for line in answer.output.splitlines() if _is_log_entry(line)]
    if answer.exit_code:
        errors = [entry["error"] for entry in entries if "error" in entry]
        lines = [line for line in answer.error.splitlines() if line.strip()]
        raise snakemake_error((errors or lines or ["snakemake --dry-run fails"])[-1])
    jobs = [Job(**entry["job"]) for entry in entries if "job" in entry]
    return [job for job in jobs if job.outputs]


def _dry_run(graph: str, arguments: Sequence[str]) -> processes.CommandOutput | None:
    words = [sys.executable, "-c", _PROCESS, json.dumps(sys.path), graph, *arguments]
    return processes.capture(words, time_limit_s=_TIME_LIMIT_S)


def snakemake_error(line: str) -> SpecError:
    """Return an error that Snakemake reports in a line, with its place apart."""
    if found := _IN_FILE.match(line):
        kind, file, number, message = found.groups()
        return SpecError(f"{kind}: {message}", f"{os.path.relpath(file)}:{number}")
    message = line.removeprefix("caduceus: ")
    placed = _PLACED.match(message)
    return SpecError(message[placed.end() :], placed[1]) if placed else SpecError(message)


def _is_log_entry(line: str) -> bool:
    """Whether a line is of a job or an error; rules may print other lines."""
    return line.startswith(('{"job": ', '{"error": '))
