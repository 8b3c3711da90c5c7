"""Run Snakemake in this process, and remember when it has nothing to do."""

import contextlib
import importlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from caduceus.system.file_states import LOCKS
from caduceus.system.recorded_reads import RecordedReads
from caduceus.system.snakemake_errors import shorten_errors
from caduceus.system.stamp import Stamp

is_listing = False  # whether Snakemake runs in this process to list its jobs
is_whole = True  # whether each job that it lists has to be in its graph
watch: "Watch | None" = None  # of the Snakemake that Caduceus runs in this process
PLAIN = "CADUCEUS_PLAIN"  # the variable that asks for lines in place of a picture
ENDING = "CADUCEUS_ENDING"  # the variable that names a file for how the build ended, as JSON
# Its default scheduler starts a solver each time that it looks for jobs to start.
_SCHEDULER = ("--scheduler", "greedy")
_NOTHING = "Nothing to be done (all requested files are present and up to date)."
_NO_SNAKEFILE = "Error: No Snakefile found"
_NO_PROJECT = (
    "caduceus: no Snakefile in this folder, so it isn't a project's: change to that, or start a "
    "project by `caduceus init`"
)
# A build looks again at its end if it took that many times as long as its look at the beginning.
_LOOKS = 20
_LOOK_LIMIT_S = 600.0
# Finds modules where this process does, as the stamp goes by that.
_LOOK = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from caduceus.system.snakemake_process import look
sys.exit(look(sys.argv[1:]))
"""
# Options that say how jobs are run, and not which.
_HOW = {
    *("cores", "jobs", "local_cores", "keep_going", "retries", "latency_wait", "quiet", "nocolor"),
    *("printshellcmds", "show_failed_logs", "keep_incomplete", "scheduler", "scheduler_subsample"),
    *("max_jobs_per_second", "max_jobs_per_timespan", "max_status_checks_per_second"),
    *("seconds_between_status_checks", "rerun_incomplete", "executor"),
}
# Options with which Snakemake, when it has nothing to do, does no more than to say so.
_REPEATABLE = _HOW | {
    *("targets", "until", "omit_from", "allowed_rules", "rerun_triggers", "max_checksum_file_size"),
    *("config", "configfile", "replace_workflow_config", "snakefile", "profile", "no_hooks"),
    *("workflow_profile", "resources", "set_threads", "set_resources", "max_threads"),
    "default_resources",
}


def run_snakemake(
    arguments: Sequence[str],
    is_plain: bool = False,
    errors: list[str] | None = None,
    ending: Path | None = None,
) -> int:
    """Run `snakemake ARGUMENTS`, by its greedy scheduler unless they name another.

    While all is as it was when Snakemake last had nothing to do, that is said without it. After a
    long build Snakemake looks again whether anything is left, so that the next call is answered.

    Args:
        arguments: of Snakemake.
        is_plain: whether it prints lines even on a terminal; its jobs don't get the variable.
        errors: gets each error that is reported too.
        ending: a file for how the build ended, as JSON; its jobs don't get the variable either.

    Returns:
        Its exit status.
    """
    began_s, environment, search_path = time.monotonic(), dict(os.environ), [*sys.path]
    stamp, dry_run = Stamp("build", arguments), dry_run_stamp(())
    if (answer := stamp.answer()) is not None:
        print(answer, end="", file=sys.stderr)
        return 0
    # After the stamps are made, as these go by the environment and the variables decide nothing.
    if is_plain:
        os.environ[PLAIN] = "1"
    if ending is not None:
        os.environ[ENDING] = str(ending)
    words, errors = [*_SCHEDULER, *arguments], [] if errors is None else errors
    status = _run(words, [(stamp, _REPEATABLE), (dry_run, _HOW)], errors)
    looked_s = watch.judged_s - began_s if watch and watch.judged_s else 0.0
    if status == 0 and 0.0 < _LOOKS * looked_s < time.monotonic() - began_s:
        _look_again(arguments, environment, search_path)
    return status


def _look_again(
    arguments: Sequence[str], environment: Mapping[str, str], search_path: Sequence[str]
) -> None:
    """Have a new process look whether a build has left anything to do, and keep it if not.

    Args:
        arguments: of the build.
        environment: that in which it was started.
        search_path: the path by which it found modules when it was started.
    """
    from caduceus.system import processes  # which no other call needs

    if not _chosen_options(arguments).keys() <= _REPEATABLE:
        return  # no stamp would answer the next
    words = [sys.executable, "-c", _LOOK, json.dumps(search_path), *arguments]
    with contextlib.suppress(KeyboardInterrupt, processes.StartError):  # the build has ended well
        processes.capture(words, time_limit_s=_LOOK_LIMIT_S, environment=environment)


def look(arguments: Sequence[str]) -> int:
    """Keep it if `snakemake ARGUMENTS` would do nothing; return the status of its dry run."""
    stamps = [(Stamp("build", arguments), _REPEATABLE), (dry_run_stamp(()), _HOW)]
    allowed = [(stamp, options | {"dryrun"}) for stamp, options in stamps]
    return _run([*_SCHEDULER, *arguments, "--dry-run"], allowed, [])


def list_jobs(arguments: Sequence[str], whole: bool = False) -> int:
    """Print the jobs that `snakemake ARGUMENTS` would run, as lines of JSON; return its status.

    Args:
        arguments: of Snakemake.
        whole: whether each of these jobs has to be in Snakemake's graph.
    """
    global is_listing, is_whole
    is_listing, is_whole = True, whole
    # With --quiet, Snakemake ends after it has counted the jobs. Before a target stands an option
    # without values, or the target would be one of these.
    words = ["--quiet", "progress", "rules", "--logger", "caduceus", "--dry-run", *arguments]
    return _run(words, [(dry_run_stamp(arguments), _REPEATABLE | {"dryrun", "logger"})], [])


def dry_run_stamp(arguments: Sequence[str]) -> Stamp:
    """Return the stamp that answers if `snakemake ARGUMENTS` would do nothing."""
    return Stamp("dry_run", arguments)


def _run(
    arguments: Sequence[str], stamps: Sequence[tuple[Stamp, Collection[str]]], errors: list[str]
) -> int:
    """Run Snakemake and return its exit status.

    Args:
        arguments: of Snakemake.
        stamps: those to write if it has nothing to do, each with the options that it may be given.
            The first is removed at the start.
        errors: gets each error.
    """
    sys.argv = ["snakemake", *arguments]  # Snakemake's log shows it
    global watch
    watch = Watch(stamps[0][0])
    shorten_errors()
    logging.getLogger("snakemake.logging").addFilter(partial(_keep_error, errors))
    interrupts = _note_interrupts()
    try:
        importlib.import_module("snakemake.cli").main(sys.argv[1:])
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # a message, such as of an error in config.yaml
            errors.append(end.code)
            return 1
        if end.code:
            return 128 + signal.SIGINT if interrupts else int(end.code)
    if watch.has_nothing:
        options = _chosen_options(arguments)
        text = "" if "Quietness.ALL" in options.get("quiet", "") else f"{_NOTHING}\n"
        with contextlib.suppress(OSError):  # such as a full disk
            for stamp, allowed in stamps:
                if options.keys() <= set(allowed):
                    stamp.write(text, watch.reads, watch.began_ns)
    return 0


def _note_interrupts() -> list[int]:
    """Return a list to which each Ctrl-C adds its signal, and leave what it does as it is."""
    noted: list[int] = []
    usual = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        if callable(usual):
            usual(number, frame)

    if callable(usual):  # a process in the background of a script ignores it
        signal.signal(signal.SIGINT, note)
    return noted


def _keep_error(errors: list[str], record: logging.LogRecord) -> bool:
    """Keep a record of Snakemake's log if it is an error, as a filter that lets all pass.

    Where there is no Snakefile, say what to do.
    """
    if record.levelno >= logging.ERROR:
        if record.getMessage().startswith(_NO_SNAKEFILE):
            record.msg, record.args = _NO_PROJECT, ()
        errors.append(record.getMessage())
    return True


def _chosen_options(arguments: Sequence[str]) -> dict[str, str]:
    """Return the options of Snakemake that aren't as usual, by arguments or profiles, as texts."""
    snakemake = importlib.import_module("snakemake.cli")
    with contextlib.redirect_stderr(None):  # it names the profiles again
        _, options = snakemake.parse_args(arguments)
    usual = vars(snakemake.get_argument_parser().parse_args([]))
    texts = {name: repr(value) for name, value in vars(options).items()}
    return {name: text for name, text in texts.items() if text != repr(usual[name])}


class Watch:
    """Watches Snakemake until it has said that it has nothing to do, or has begun to do something.

    Args:
        stamp: of the command that runs it.

    Attributes:
        began_ns: the time before the first read, by the file system's clock.
        reads: what it looked at.
        has_nothing: whether it has said that it has nothing to do.
        judged_s: when it began to do something, by `time.monotonic`; 0 before.
        when_judged: called once Snakemake knows of every job whether it has to run.
        jobs_of: yields the fields of the jobs that a stand-in is for, given what the stand-in is
            for and the threads of a training.
    """

    def __init__(self, stamp: Stamp) -> None:
        self.has_nothing = False
        self.judged_s = 0.0
        self.when_judged: Callable[[], None] | None = None
        self.jobs_of: Callable[[str, int], Iterator[Mapping[str, object]]] | None = None
        self.reads = RecordedReads()
        self._stamp, self._folder = stamp, Path.cwd()
        self.began_ns = stamp.begin()
        if self.began_ns:
            self.reads.start()
            Path(LOCKS).exists()  # a build looks for those of others, and a dry run doesn't
            logging.getLogger("snakemake.logging").addFilter(self._hear)

    def began_here_ns(self) -> int:
        """Return a time before the first look at the project, by its file system's clock, in ns.

        `--directory` leads to another folder than that in which the command was started. Then it is
        the time of this call. It is 0 where Snakemake has never run.
        """
        return self.began_ns if Path.cwd() == self._folder else self._stamp.begin()

    def _hear(self, record: logging.LogRecord) -> bool:
        """Take a record of Snakemake's log, as a filter that lets all pass."""
        if record.levelno >= logging.WARNING:
            self.reads.doubt = "a warning is to be printed each time"
        if record.getMessage() == _NOTHING:
            self.has_nothing = True
            self._judge()
        elif str(getattr(record, "event", "")) == "run_info":  # it has something to do
            self._judge()
            self.judged_s = time.monotonic()
            self.reads.states.clear()
        return True

    def _judge(self) -> None:
        self.reads.stop()
        if self.when_judged:
            self.when_judged()
            self.when_judged = None
