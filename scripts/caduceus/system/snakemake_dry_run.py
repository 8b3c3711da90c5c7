"""What Snakemake would do, asked of itself."""

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from caduceus.errors import SpecError
from caduceus.system import processes

_TIME_LIMIT_S = 1800.0
_COMMAND = re.compile(r"(?:exec )?python -m caduceus ([a-z-]+)")
REPORTING = ("report_failures", "report_refuted")


@dataclass(frozen=True)
class Job:
    """A job that would run.

    Attributes:
        rule: its rule, by Caduceus's own name for it if it is one of ours, whatever the user's
            Snakefile calls it.
        wildcards: what its rule's wildcards stand for, such as the run.
        outputs: the files that it makes.
        reason: why, in Snakemake's words.
        command: its shell command.
        threads: how many processor threads it takes.
    """

    rule: str
    wildcards: Mapping[str, str]
    outputs: Sequence[str]
    reason: str
    command: str
    threads: int

    @property
    def run(self) -> str | None:
        """The run that it is about, if it is about one."""
        return self.wildcards.get("run")

    @property
    def item(self) -> str:
        """What it makes, as `caduceus why` takes it: tables/NAME, groups/NAME, report."""
        return item_of(self.outputs[0])

    def option(self, name: str) -> Any:
        """What its command has as JSON after --NAME."""
        words = shlex.split(self.command)
        return json.loads(words[words.index(f"--{name}") + 1])


def is_result(path: str) -> bool:
    """Whether a file lies below results/, which a module may have in a folder of its own."""
    return "results" in PurePath(path).parts[:-1]


def item_of(path: str) -> str:
    """The short name of a result: tables/NAME for its files, runs/RUN, report."""
    parts = PurePath(path).parts
    parts = parts[parts.index("results") + 1 :] if is_result(path) else parts
    parts = parts[parts[0] == "paper" :]
    if parts[0] in ("runs", "groups", "sweeps", "datasets") and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "report":
        return "report"
    return PurePath(*parts).with_suffix("").as_posix()


def planned_jobs(arguments: Sequence[str]) -> list[Job]:
    """Every job that `snakemake ARGUMENTS` would start, but those that only collect.

    Raises:
        SpecError: something is wrong, in Snakemake's words.
    """
    words = [sys.executable, "-m", "snakemake", "--dry-run", "--logger", "caduceus", *arguments]
    answer = processes.ask(words, time_limit_s=_TIME_LIMIT_S)
    if answer is None:
        raise SpecError("Snakemake's dry run takes more than half an hour; look at its own output")
    said = [json.loads(line) for line in answer.output.splitlines() if _is_ours(line)]
    if answer.exit_code:
        errors = [each["error"] for each in said if "error" in each]
        lines = [line for line in answer.error.splitlines() if line.strip()]
        message = (errors or lines or ["snakemake --dry-run fails"])[-1]
        raise SpecError(message.removeprefix("caduceus: "))
    jobs = [_job(each["job"]) for each in said if "job" in each]
    return [job for job in jobs if job.outputs]


def _job(about: dict[str, Any]) -> Job:
    ours = _COMMAND.match(about["command"].strip())
    return Job(**about | ({"rule": ours[1].replace("-", "_")} if ours else {}))


def _is_ours(line: str) -> bool:
    return line.startswith(('{"job": ', '{"error": '))
