"""The terminal output of a build, in place of Snakemake's own.

`show_build` is called while the Snakefile is parsed, and exchanges the handler of Snakemake's log
that writes to the terminal. A logger plugin would need an option in each project and profile, gets
its records by a queue, and so falls behind what hooks and jobs print; and where the plugin isn't
installed, Snakemake refuses the option. Snakemake's log file stays complete.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from caduceus.overview.terminal.build import Job
from caduceus.overview.terminal.build_ending import State, write_ending
from caduceus.overview.terminal.display import Display, is_terminal
from caduceus.overview.terminal.ending import failure_lines, interruption_line, success_lines
from caduceus.overview.terminal.messages import (
    failure_reason,
    is_failed_job,
    is_noise,
    reports_failures,
    restarted_job,
    totals_line,
    was_said,
)
from caduceus.overview.terminal.projects import ShownProject
from caduceus.project.project import Project
from caduceus.system import snakemake_process
from caduceus.system.snakemake_job_list import JobListHandler

if TYPE_CHECKING:
    from caduceus.overview.live_notices import LiveNotices

_DEFAULT = "DefaultStreamHandler"
_TAKEN = (
    *("run_info", "job_info", "job_started", "job_finished", "job_error", "group_info"),
    *("group_error", "progress", "resources_info", "workflow_started", "rulegraph"),
)
_INTERRUPTED = ("Terminating processes on user request", "Will exit after finishing currently")


def show_build(workflow: Any, project: Project, place: Callable[[str], str]) -> None:
    """Show the build of a project in place of Snakemake's log, and its results at the end.

    Snakemake's own log stays in a dry run, by --verbose and --debug-dag, and with another logger;
    the results are shown nevertheless. Nothing changes in the processes that Snakemake starts.

    Args:
        workflow: Snakemake's workflow, whose Snakefile is being parsed.
        project: the project.
        place: returns where a path below results/ lies.
    """
    is_plain = bool(os.environ.pop(snakemake_process.PLAIN, ""))
    ending = os.environ.pop(snakemake_process.ENDING, "")
    settings = workflow.output_settings
    log = workflow.logger_manager.logger
    if snakemake_process.is_listing and not any(
        isinstance(handler, JobListHandler) for handler in log.handlers
    ):
        log.addHandler(JobListHandler(workflow))
    if not workflow.is_main_process or settings.dryrun:
        return
    shown = ShownProject(project, place, workflow.modifier.modify_rulename)
    for handler in log.handlers:
        if isinstance(handler, BuildHandler):  # a Snakefile with several modules
            handler.projects.append(shown)
            return
    default = next((each for each in log.handlers if each.name == _DEFAULT), None)
    if default is not None and not settings.verbose and not settings.debug_dag:
        log.removeHandler(default)
        log.addHandler(BuildHandler(workflow, shown, default, is_plain, ending))
    else:
        log.addHandler(BuildHandler(workflow, shown, None, is_plain, ending))


def refuse(workflow: Any, message: str) -> NoReturn:
    """End a build before its first job, with a line and without the results of earlier ones.

    Args:
        workflow: Snakemake's workflow.
        message: why it can't begin.

    Raises:
        SystemExit: always.
    """
    for handler in workflow.logger_manager.logger.handlers:
        if isinstance(handler, BuildHandler):
            handler.dismiss()
    raise SystemExit(f"caduceus: {message}")


class BuildHandler(logging.Handler):
    """A handler of Snakemake's log that shows a build.

    Args:
        workflow: Snakemake's workflow.
        shown: the project.
        default: Snakemake's handler, which still writes what isn't about a job; None if it or
            another one shows the build, and this one only its results.
        is_plain: whether to print lines even on a terminal.
        ending: a file for how the build ended, in place of the results; empty for none.
    """

    def __init__(
        self,
        workflow: Any,
        shown: ShownProject,
        default: logging.Handler | None,
        is_plain: bool,
        ending: str,
    ):
        super().__init__()
        self.projects = [shown]
        self._workflow = workflow
        self._default = default
        self._ending = ending
        quiet = {each.name.lower() for each in workflow.output_settings.quiet or ()}
        shows_steps = default is not None and not quiet & {"all", "progress"}
        self._is_silent = default is None or "all" in quiet
        is_live = is_terminal() and not is_plain
        self._display = Display(self.projects, is_live, shows_steps, self._write)
        self._shows_steps = shows_steps
        self._shows_stats = shows_steps and not is_live
        self._notices: dict[int, LiveNotices] = {}  # by the place of the project
        self._has_last_job = False
        self._has_begun = False
        self._has_failed = False
        self._is_interrupted = False
        self._are_failures_listed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record of Snakemake's log."""
        try:
            fields: dict[str, Any] = vars(record)
            event, message = str(fields.get("event") or ""), record.getMessage()
            if take := getattr(self, f"_take_{event}", None):
                take(fields)
            self._is_interrupted |= message.startswith(_INTERRUPTED)
            self._has_failed |= event == "error" and not is_failed_job(message)
            if retried := restarted_job(message):
                self._display.retry(retried)
            elif (event == "run_info" and self._shows_stats) or event not in _TAKEN:
                self._pass_on(record)
        except Exception:
            self.handleError(record)

    def dismiss(self) -> None:
        """Remove the picture, and say nothing of a build that can't begin."""
        self._has_begun = False
        self._display.stop()

    def close(self) -> None:
        """Remove the picture and say how the build ended."""
        self._display.stop()
        if self._has_begun:
            self._has_begun = False
            self._end()
            self._stop_notices()
        super().close()

    def _take_run_info(self, fields: Mapping[str, Any]) -> None:
        """Begin: the jobs are known, and none has started."""
        self._has_begun = True
        dag = self._workflow.dag
        self._display.begin(
            self._job(dag.jobid(job), job.rule.name, dict(job.wildcards.items()), job.output)
            for job in dag.needrun_jobs()
        )

    def _take_job_info(self, fields: Mapping[str, Any]) -> None:
        outputs = [path.partition(" (")[0] for path in fields["output"]]
        job = self._job(fields["jobid"], fields["rule_name"], fields["wildcards"], outputs)
        if reports_failures(fields.get("shellcmd")):
            self._has_last_job = True
            for notices in self._notices.values():
                notices.leave_rest()
        self._display.start(job, is_queued=not (self._workflow.local_exec or fields["local"]))

    def _take_job_finished(self, fields: Mapping[str, Any]) -> None:
        self._display.finish(fields["job_id"])
        self._notify(self._display.build.jobs[fields["job_id"]])

    def _take_job_error(self, fields: Mapping[str, Any]) -> None:
        if reports_failures(fields.get("shellcmd")):
            self._are_failures_listed = True
        elif not self._is_interrupted:
            reason = failure_reason(fields["rule_msg"], fields["log"])
            self._display.fail(fields["jobid"], reason, was_said(fields["log"]))

    def _take_group_error(self, fields: Mapping[str, Any]) -> None:
        for each in fields["job_error_info"]:
            self._take_job_error({**each, "log": [*each["log"], *fields["aux_logs"]]})

    def _job(
        self, job_id: int, rule: str, wildcards: Mapping[str, str], outputs: Collection[str]
    ) -> Job:
        shown = self._display.project_of(wildcards.get("run"))
        return shown.job(job_id, rule, wildcards, outputs)

    def _notify(self, job: Job) -> None:
        """Tell whom `notify` names what happened to a run, without waiting for it."""
        shown = self._display.project_of(job.run)
        if job.run is None or not shown.project.settings.notify.argument:
            return
        metric = shown.metric(job.run)
        if job.trains and (training := shown.training(job.run)):
            self._notices_of(shown).take_training(job.run, training)
        elif job.rule == shown.rule("export_run") and metric and (end := shown.summary(job.run)):
            self._notices_of(shown).take_export(job.run, end, metric)

    def _notices_of(self, shown: ShownProject) -> "LiveNotices":
        place = self.projects.index(shown)
        if place not in self._notices:
            from caduceus.overview.live_notices import LiveNotices  # which most builds don't need

            results = Path(shown.place("results/experiments")).parent
            self._notices[place] = LiveNotices(shown.project.settings.notify, results)
        return self._notices[place]

    def _stop_notices(self) -> None:
        """Tell that the build stopped, if its last job can't, and wait for that a moment."""
        lines: list[str] = []
        if self._has_failed and not self._is_interrupted and not self._has_last_job:
            failures = self._display.failures.items()
            lines = ["the build stopped before its last job"]
            lines += [f"failed: {name}: {reason}" for name, reason in failures]
            for shown in self.projects:
                notify = shown.project.settings.notify
                if notify.argument and {"end", "failure"} & {*notify.events}:
                    self._notices_of(shown)
        for notices in self._notices.values():
            notices.stop(lines)

    def _pass_on(self, record: logging.LogRecord) -> None:
        """Print what isn't about a job as Snakemake does, such as an error in a Snakefile."""
        default = self._default
        if default is None or is_noise(record.getMessage()) or not default.filter(record):
            return
        if text := default.format(record):
            styles = {logging.ERROR: "red", logging.WARNING: "yellow"}
            self._display.say(text, styles.get(record.levelno, ""))

    def _write(self, text: str) -> None:
        if not self._is_silent:
            print(text, file=sys.stderr, flush=True)

    def _end(self) -> None:
        """Say how the build ended: results on standard output, the rest on standard error."""
        build, failures = self._display.build, self._display.failures
        seconds = time.monotonic() - build.started
        if self._shows_steps:
            self._write(totals_line(build.run_states(), build.done, build.total, seconds))
        if self._is_interrupted:
            self._write(interruption_line(any(each.job.trains for each in build.active.values())))
        elif self._has_failed:
            listed = {} if self._are_failures_listed else failures
            has_failed_runs = "failed" in build.run_states()
            self._write("\n".join(failure_lines(listed, has_failed_runs)))
        elif not self._ending:
            targets = set(self._workflow.dag_settings.targets)
            for shown in self.projects:
                if not shown.is_without_results(targets):
                    print(*success_lines(shown), sep="\n")
        if self._ending:
            state: State = "done"
            if self._is_interrupted or self._has_failed:
                state = "interrupted" if self._is_interrupted else "failed"
            out = Path(self._ending)
            write_ending(out, state, build, seconds, failures, self.projects)
