"""Print the jobs of a dry run as lines of JSON, once Snakemake knows them.

Snakemake's own list comes later and takes as long as all before it: it formats the command and the
resources of each job.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from caduceus.system import snakemake_process, snakemake_stand_ins

_COMMAND = re.compile(r"(?:exec )?\S+ -m caduceus ([a-z-]+)")
# Params that `overview.plans` reads, and rules whose threads it asks for.
_PARAMS = ("definition", "identity")
TRAINING = ("train", "sweep_agent")


WHOLE = '{"whole": true}'  # printed where only the graph of all jobs tells which would run


class JobListHandler(logging.Handler):
    """A handler of Snakemake's log that prints `{"job": …}` for each job that would run.

    Jobs that a stand-in is for come from `snakemake_process.Watch.jobs_of`.

    Args:
        workflow: Snakemake's workflow.
    """

    def __init__(self, workflow: Any) -> None:
        super().__init__()
        self._workflow = workflow
        self._is_done = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print the jobs when Snakemake counts them."""
        if str(getattr(record, "event", "")) == "run_info" and not self._is_done:
            self._is_done = True
            if not snakemake_stand_ins.are_sure(self._workflow):
                print(WHOLE)
                return
            # A dry run has one core unless --cores says more, and no training would take another.
            if self._workflow.resource_settings.cores == 1:
                self._workflow.global_resources["_cores"] = None
            for job in self._workflow.dag.needrun_jobs():
                for fields in self._listed(job):
                    print(json.dumps({"job": fields}))

    def _listed(self, job: Any) -> Iterable[Mapping[str, object]]:
        if snakemake_stand_ins.is_stand_in(job):
            assert snakemake_process.watch and snakemake_process.watch.jobs_of
            (name,) = job.wildcards
            return snakemake_process.watch.jobs_of(name, job.threads)
        return [dict(_fields(job, snakemake_stand_ins.reason_of(self._workflow, job)))]


def _fields(job: Any, reason: str) -> Iterator[tuple[str, object]]:
    """Yield the fields of a `snakemake_dry_run.Job`."""
    own_command = _COMMAND.match((job.rule.shellcmd or "").strip())
    rule = own_command[1].replace("-", "_") if own_command else job.rule.name
    yield "rule", rule
    yield "wildcards", dict(job.wildcards.items())
    yield "outputs", list(map(str, job.output))
    yield "reason", reason
    params = job.params.items() if own_command else ()
    yield "params", {name: value for name, value in params if name in _PARAMS}
    yield "threads", job.threads if rule in TRAINING else 1
