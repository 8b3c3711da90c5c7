# The project that config.yaml and the experiment files define, and the input functions of the rules.
#
# Needs: config.yaml, experiment files, training programs (read, never run).

import gc
import json
import os
import re
import sys
from dataclasses import asdict
from functools import cache
from inspect import signature
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.files import canonical_json, digest_text
from caduceus import note_holder
from caduceus.io.phrases import printable
from caduceus.overview.terminal.handler import refuse, show_build
from caduceus.paper.figures.kinds import MODULES as FIGURE_MODULES
from caduceus.project.account_checks import checked_for
from caduceus.project.command_digests import PACKAGE, code_digest
from caduceus.project.project import load_project
from caduceus.project.run_jobs import definition_param, identity_param
from caduceus.project.settled_runs import SettledRuns
from caduceus.project.targets import CHECKED_LOGS, load_targets
from caduceus.project.unstarted_runs import UnstartedRuns
from caduceus.runs import environments, gpu_shares
from caduceus.runs.folder import RunFolder
from caduceus.runs.files.tries import try_tables
from caduceus.runs.used_files import stale_files
from caduceus.sweeps.plans import run_pattern
from caduceus.system import snakemake_process, snakemake_stand_ins
from caduceus.system.before_jobs import add_step
from caduceus.system.snakemake_checksums import compute_checksums_once
from caduceus.system.shared_folders import project_place, share_with_group
from caduceus.system.snakemake_default_target import prefer_all
from caduceus.system.snakemake_errors import shorten_errors
from caduceus.system.snakemake_lock import note_when_locked, unlock_if_killed
from caduceus.system.snakemake_params import compare_without_pandas
from caduceus.system.snakemake_scheduling import (
    lighten_scheduling,
    look_up_sizes_once,
    take_interrupts_once,
    take_sigterm_in_a_thread,
)
from caduceus.system.snakemake_settings import common_settings

# A third of a dry run over 1,000 runs is Python's collector walking a graph of jobs that only grows.
gc.set_threshold(100_000, 50, 100)

# Snakemake puts a module's prefix before the paths of rules, and not before those that we read.
PREFIXED = workflow.modifier.path_modifier.replace_prefix
RULES = Path(str(workflow.current_basedir))

# Jobs inherit what this process may leave to its group.
share_with_group(project_place(Path(PREFIXED("results/"))))

try:
    PROJECT = load_project(
        config, [os.path.relpath(path) for path in workflow.configfiles]
    )
    TARGETS = load_targets(PROJECT, PREFIXED)
except CaduceusError as error:
    raise SystemExit(f"caduceus: {error}")  # one line, where a traceback would hide it

# The commands need Caduceus itself, which an environment of a rule's own wouldn't hold.
if workflow.deployment_settings.deployment_method:
    raise SystemExit(
        "caduceus: --software-deployment-method: one environment serves all rules; leave it out, "
        "and make the environment once by `make` or envs/environment.yaml"
    )

shorten_errors()
show_build(workflow, PROJECT, PREFIXED)

SETTINGS = PROJECT.settings
# The interpreter that runs Snakemake has Caduceus, whatever PATH leads to, here and on a node. By the
# environment, since the command is what Snakemake compares: on another machine it stays the same.
# `note_holder` changes it before jobs start, so that the commands of each run are forked.
os.environ["CADUCEUS_PYTHON"] = sys.executable
# In the environment too, since what is preloaded changes no result and must rerun nothing.
os.environ["CADUCEUS_PRELOAD"] = PROJECT.preloads(os.getpid()).variable
os.environ[gpu_shares.VARIABLE] = gpu_shares.shares_variable(PROJECT.gpu_shares)

os.environ[environments.VARIABLE] = environments.environments_variable(
    PROJECT.environments
)

WANDB = SETTINGS.wandb
TRAINS_ONLINE = WANDB.mode == "online" and not SETTINGS.export.is_remote
PAPER = PROJECT.paper
METHODS = json.dumps(asdict(PAPER.statistics))
FOLDS = str(PAPER.statistics.folds or 0)
RETRIES = SETTINGS.retries
TRIES = try_tables(PREFIXED)


wildcard_constraints:
    experiment="|".join(map(re.escape, PROJECT.experiments)),
    dataset="|".join(map(re.escape, PROJECT.datasets)) or "none",
    group="|".join(map(re.escape, PROJECT.groups)),
    run="[A-Za-z0-9_.-]+",  # one pattern for thousands of names would slow each match down
    table="|".join(map(re.escape, PAPER.tables)) or "none",
    figure="|".join(map(re.escape, PAPER.figures)) or "none",
    project="|".join(re.escape(chosen.project) for chosen in SETTINGS.export.projects)
    or "none",
    server_group="[A-Za-z0-9_.-]+",
    sweep="|".join(map(re.escape, PROJECT.sweeps)) or "none",
    trial=r"\d\d\d\d+",
    trials=r"\d+(?:-[0-9a-f]+)?",
    rank=r"\d+",


def adapt_settings():
    """Go on after a killed Snakemake: remove its lock, and make again what it left incomplete.

    Every command writes its outputs whole or starts them anew. A run of a server that can't be
    exported ends no other's export, as with --keep-going. Thousands of ready jobs aren't weighed at
    each step.

    Snakemake has the settings only after it has parsed this file: input functions come later, and
    before it looks for such marks and starts jobs.
    """
    workflow.dag_settings.force_incomplete = True
    compare_without_pandas()
    if workflow.is_main_process:
        unlock_if_killed()
        note_when_locked(workflow.persistence)
        compute_checksums_once(workflow.persistence)
    # None where nothing is executed, as by --summary.
    if (settings := workflow.execution_settings) and (
        SETTINGS.export.is_remote or SETTINGS.export.projects
    ):
        settings.keep_going = True
    if scheduling := workflow.scheduling_settings:
        slots = workflow.resource_settings.nodes or workflow.resource_settings.cores
        lighten_scheduling(scheduling, slots or 1)
        look_up_sizes_once()
        take_sigterm_in_a_thread()
        take_interrupts_once()


def say(line):
    print(printable(line), file=sys.stderr)


def make_environments():
    """Make or check the environments of the runs that are about to be trained, before any job.

    Here, where Snakemake runs, and by no rule: no run waits for a file that a change would renew.
    """
    from caduceus.training.environments import make_environments as make

    trained = (
        job.wildcards.run
        for job in workflow.dag.needrun_jobs()
        if hasattr(job.output, "train") and job.wildcards.run in PROJECT.runs
    )
    try:
        named = PROJECT.named_environments(trained)
        make(named, Path(PREFIXED("results/")), say)
    except CaduceusError as error:
        refuse(workflow, printable(str(error)))


if PROJECT.environments:
    add_step(make_environments)


def warn_of_metrics():
    """Say which metrics of the paper no run has logged so far, before hours of training."""
    from caduceus.overview.metric_warnings import metric_warnings

    for line in metric_warnings(PROJECT, Path(PREFIXED("results/"))):
        say(f"caduceus: warning: {line}")


def targets():
    adapt_settings()
    return TARGETS


@cache
def own_settings():
    """What decides for the jobs of all runs alike; None if all have to be in the graph."""
    is_local = not (
        SETTINGS.export.is_remote or SETTINGS.export.projects or TRAINS_ONLINE
    )
    is_here = PREFIXED("results/runs/") == "results/runs/"
    if snakemake_process.watch is None or not (is_local and is_here):
        return None
    return common_settings(workflow, RULES, PACKAGE / "project/template/Snakefile")


@cache
def settled_files():
    """The files of runs whose jobs have nothing to do: those jobs are left out of the graph.

    Plain `snakemake` leaves out none, since nobody keeps what it judges.
    """
    watch, common = snakemake_process.watch, own_settings()
    if common is None or not (began_ns := watch.began_here_ns()):
        return frozenset()
    judges = ("project/settled_runs", "project/targets", "runs/used_files")
    ours = digest("export_run", *judges, "system/snakemake_settings")
    runs = SettledRuns(PROJECT, common + ours, began_ns)
    watch.when_judged = lambda: runs.record(workflow.dag)
    return runs.files


@cache
def unstarted_runs():
    """The runs of which nothing exists, where jobs are only listed; else None."""
    is_usual = not workflow.resource_settings.overwrite_threads
    if snakemake_process.is_whole or own_settings() is None or not is_usual:
        return None
    runs = UnstartedRuns(PROJECT)
    snakemake_process.watch.jobs_of = runs.jobs
    return runs


if not snakemake_process.is_whole:
    snakemake_stand_ins.add_rule(
        workflow,
        "experiment",
        lambda wildcards: TARGETS.dataset(
            PROJECT.experiments[wildcards.experiment].runs[0].id
        ),
        lambda wildcards: PROJECT.experiments[
            wildcards.experiment
        ].spec.resources.threads,
    )


def jobless(paths):
    """Have Snakemake look for no job that makes a file of a settled or of an unstarted run."""
    settled, unstarted = settled_files(), unstarted_runs()
    marked = [before_update(path) if path in settled else path for path in paths]
    if unstarted is None:
        return marked
    return unstarted.replaced(marked, snakemake_stand_ins.stand_in)


def known(function):
    """Note a function's parameters on it: Snakemake asks for them in every job.

    Finding them anew each time takes a tenth of a dry run over 1,000 runs.
    """
    function.__signature__ = signature(function)
    return function


def inputs(method, **given):
    """An input function: a method of `Targets`, with the wildcards that its parameters name."""
    find = getattr(TARGETS, method)
    names = signature(find).parameters.keys() - given.keys()

    @known
    def paths(wildcards):
        adapt_settings()
        return jobless(
            find(**given, **{name: getattr(wildcards, name) for name in names})
        )

    return paths


def as_is(value):
    """A param of this value. In a bare text Snakemake takes `{name}`, as in a title, for a wildcard."""
    return known(lambda wildcards: value)


@known
def get_training_data(wildcards):
    """The dataset of a run to train. A stale run is forced on the way, as by --forcerun.

    No input or parameter could do it: Snakemake compares them with those of the last training, and
    only a training says which files it used.
    """
    train = PREFIXED(f"results/runs/{wildcards.run}/train.json")
    if stale_files(RunFolder(Path(train).parent)):
        workflow.dag.forcefiles.add(train)
    return data_for("train.json")(wildcards)


def is_asked_for(folder, made):
    """Whether a run is trained again, or one of its files is asked for by name."""
    asked = workflow.dag
    named = {*asked.forcefiles, *asked.targetfiles}
    is_named = not named.isdisjoint((f"{folder}train.json", f"{folder}{made}"))
    return bool(asked.forcerules or is_named or stale_files(RunFolder(Path(folder))))


def data_for(made):
    """An input function: the dataset of a run, for a job that takes it as ancient and makes a file.

    Where the record was deleted, only a job that is asked for brings it back.
    """

    @known
    def paths(wildcards):
        kept = targets().kept_without_dataset(wildcards.run, made)
        folder = PREFIXED(f"results/runs/{wildcards.run}/")
        return (
            kept
            if kept and not is_asked_for(folder, made)
            else targets().dataset(wildcards.run)
        )

    return paths


@known
def get_logged(wildcards):
    """The files that a run is exported from. Where they are lost, the jobs of others go on."""
    paths = jobless(targets().logged(wildcards.run))
    settings = workflow.execution_settings
    if settings and any(path.endswith(CHECKED_LOGS) for path in paths):
        settings.keep_going = True
    return paths


@cache
def digest(command, *modules):
    """The digest of the code of a command, and of modules that it imports by name."""
    return code_digest([f"commands/{command}", *modules])


def get_figure_code(command):
    """The digest of the code of a figure's kind alone."""
    return lambda wildcards: digest(
        command,
        f"paper/figures/{FIGURE_MODULES[PAPER.figures[wildcards.figure].kind]}",
    )


def get_resource(name):
    return known(
        lambda wildcards: getattr(PROJECT.runs[wildcards.run][0].spec.resources, name)
    )


@known
def get_gpus(wildcards):
    """The whole GPUs of a run. For a share, a job of its own on a cluster gets a GPU."""
    is_own_job = workflow.remote_exec or not workflow.local_exec
    resources = PROJECT.runs[wildcards.run][0].spec.resources
    return resources.whole_gpus(for_share=int(is_own_job))


@known
def get_retries_left(wildcards, attempt):
    return RETRIES - attempt + 1


@known
def get_definition(wildcards):
    return definition_param(PROJECT.runs[wildcards.run][1])


@known
def get_code(wildcards):
    return canonical_json(PROJECT.runs[wildcards.run][0].spec.code)


@known
def get_account_check(wildcards):
    folders = (Path(PREFIXED(f"results/runs/{run}")) for run in PROJECT.runs)
    return checked_for(Path(PREFIXED("results/account.json")), folders)


@known
def get_identity(wildcards):
    return identity_param(PROJECT, *PROJECT.runs[wildcards.run])


@known
def get_experiment_file(wildcards):
    """The experiment file of a run, as a param that Snakemake doesn't compare with the last one.

    It compares texts and not paths. A run may be planned by another file than before, as by that
    of a renamed experiment or of a try: its definition is the same, or it would have another id.
    """
    experiment, _ = PROJECT.runs[wildcards.run]
    return Path(experiment.source.path)


def get_dataset_source(wildcards):
    adapt_settings()
    dataset = PROJECT.datasets[wildcards.dataset]
    return local(dataset.path or dataset.program)
