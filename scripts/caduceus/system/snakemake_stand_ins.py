"""Jobs of Snakemake that each stand for many others, where jobs are only listed.

The others are known to have to run. Jobs that take their files take the file of the stand-in, and
have to run for the same reasons, unless `are_sure` says that these may differ.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

_RULE = "stand_in"
_STANDS_FOR = "stands_for"  # the flag of a stand-in's file that has the files that a job would take
_FOLDER = "results/stand_ins"  # of files that are never made


def add_rule(workflow: Any, wildcard: str, taken: Callable[..., Any], threads: object) -> None:
    """Add the rule of stand-ins.

    Args:
        workflow: Snakemake's workflow, whose Snakefile is parsed.
        wildcard: names what a stand-in is for.
        taken: the function of the files that the others take, and that they don't make.
        threads: those of a training, as in a rule.
    """
    info = workflow.run(add_rule)  # which nothing calls
    info.norun, info.threads = True, threads
    info = workflow.input(taken)(workflow.output(f"{_FOLDER}/{{{wildcard}}}")(info))
    workflow.rule(name=_RULE)(info)


def stand_in(name: str, files: Sequence[str]) -> Any:
    """Return the file that a job takes in place of others.

    Args:
        name: what the stand-in is for.
        files: those that the job would take.
    """
    return importlib.import_module("snakemake.io").flag(f"{_FOLDER}/{name}", _STANDS_FOR, files)


def is_stand_in(job: Any) -> bool:
    """Whether a job stands for others; then its one wildcard says for which."""
    return bool(job.rule.name == _RULE)


def are_sure(workflow: Any) -> bool:
    """Whether Snakemake, with the others in its graph, would have the same reasons for each job.

    Args:
        workflow: Snakemake's workflow, whose jobs are judged.
    """
    dag, records = workflow.dag, workflow.persistence
    for job in dag.jobs:
        reason = dag.reason(job)
        # By files that have changed one of the others may have to run for a reason of its own,
        # and then Snakemake asks for no further reason of the jobs behind it.
        if is_stand_in(job) and (not dag.needrun(job) or reason.updated_input):
            return False
        # A job that took these files when it last ran may take the same files as then.
        files = {path for _, path in _replaced(job)} if reason.input_changed else set()
        if any(not files.isdisjoint(records.input(path) or ()) for path in job.output):
            return False
    return True


def reason_of(workflow: Any, job: Any) -> str:
    """Return why a job has to run, in Snakemake's words."""
    reason = workflow.dag.reason(job)
    for stand_in, path in _replaced(job):
        reason.updated_input_run.discard(stand_in)
        reason.updated_input_run.add(path)
    return str(reason)


def _replaced(job: Any) -> Iterator[tuple[Any, str]]:
    """Yield the files of stand-ins that a job takes, with each file that it would take."""
    for each in job.input:
        files: Iterable[str] = each.flags.get(_STANDS_FOR, ())
        yield from ((each, path) for path in files)
