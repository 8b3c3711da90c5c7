# The project that config.yaml and the experiment files add up to, and what is looked up in it.
#
# Needs: config.yaml, experiment files, training programs (read, never run).

import gc
import json
import os
import re

from caduceus.errors import CaduceusError
from caduceus.io.files import canonical_json, digest_text
from caduceus import note_holder
from caduceus.paper.claim_pages import claim_lines
from caduceus.project.command_digests import command_digests
from caduceus.project.project import load_project
from caduceus.project.identity import identity
from caduceus.sweeps.plans import run_pattern

# A third of a dry run over 1,000 runs is Python's collector walking a graph of jobs that only grows.
gc.set_threshold(100_000, 50, 100)

try:
    PROJECT = load_project(
        config, [os.path.relpath(path) for path in workflow.configfiles]
    )
except CaduceusError as error:
    raise SystemExit(f"caduceus: {error}")  # one line, where a traceback would hide it

# Every output is written whole, or begun again by what makes it: what a killed Snakemake marks as
# incomplete is simply made.
if workflow.dag_settings:  # not for --lint
    workflow.dag_settings.force_incomplete = True

# The commands need Caduceus itself, which a rule's own environment wouldn't hold. Rules name one all
# the same, as Snakemake's linter wants it.
if workflow.deployment_settings.deployment_method:
    raise SystemExit(
        "caduceus: --software-deployment-method: one environment serves all rules; leave it out, "
        "and make the environment once by `make` or envs/environment.yaml"
    )

WANDB = PROJECT.config["wandb"]
EXPORT = PROJECT.config["export"]
TRAINS_ONLINE = WANDB["mode"] == "online" and EXPORT["source"] == "local"
EXPORTER = "export_run" if EXPORT["source"] == "local" else "export_fetched_run"
PAPER = PROJECT.paper
RETRIES = PROJECT.config["retries"]
DIGESTS = command_digests(
    [
        "validate_spec",
        "export_run",
        "export_fetched_run",
        "export_group",
        "export_sweep",
        "judge_run",
        "export_server_run",
        "export_server_group",
        "make_table",
        "measure_figure",
        "draw_figure",
        "check_claims",
        "sum_compute",
        "record_provenance",
        "fill_checklist",
        "make_report",
    ]
)


wildcard_constraints:
    experiment="|".join(map(re.escape, PROJECT.experiments)),
    dataset="|".join(map(re.escape, PROJECT.datasets)) or "none",
    group="|".join(map(re.escape, PROJECT.groups)),
    run="[A-Za-z0-9_.-]+",  # one pattern for thousands of names would slow each match down
    table="|".join(map(re.escape, PAPER["tables"])) or "none",
    figure="|".join(map(re.escape, PAPER["figures"])) or "none",
    project="|".join(re.escape(chosen["project"]) for chosen in EXPORT["projects"])
    or "none",
    server_group="[A-Za-z0-9_.-]+",
    sweep="|".join(map(re.escape, PROJECT.sweeps)) or "none",
    trial=r"\d\d\d\d+",
    trials=r"\d+(?:-[0-9a-f]+)?",
    rank=r"\d+",


# Where a path lies, which as a module's may have another prefix; of a rule's, Snakemake sees to it.
place = workflow.modifier.path_modifier.replace_prefix


def get_experiment_file(wildcards):
    experiment, _ = PROJECT.runs[wildcards.run]
    return local(experiment.source.path)


def get_definition(wildcards):
    return canonical_json(PROJECT.runs[wildcards.run][1].definition)


def get_code(wildcards):
    return canonical_json(PROJECT.runs[wildcards.run][0].spec["code"])


def get_identity(wildcards):
    experiment, run = PROJECT.runs[wildcards.run]
    return canonical_json(identity(experiment, run, WANDB))


def get_lost_logs(folder):
    """The logs of a run that has ended and of which there is only the export, as in an archive.

    That they are missing keeps Snakemake from making such a run or its export anew, whatever the
    times of files: it takes what it can't make for given.
    """

    def has(*names):
        return any(os.path.exists(f"{place(folder)}/{name}") for name in names)

    has_ended = has("manifest.json") and has("train.json", "server.json")
    lost = has_ended and not has("work/code", "work/server")
    return [f"{folder}/work/code"] if lost else []


def get_trial(wildcards):
    if lost := get_lost_logs(f"results/runs/{wildcards.run}"):
        return lost
    experiment, run = PROJECT.runs[wildcards.run]
    if run.trial is None:
        return []
    return f"results/sweeps/{experiment.sweep.id}/trials/{run.trial}.json"


# What a sweep goes by, of a run that was trained here and of one that was made elsewhere.
ENDED = "train.json" if EXPORT["source"] == "local" else "outcome.json"


def get_sweep(wildcards):
    """The plan of a run's sweep, which more seeds write anew, say."""
    if get_lost_logs(f"results/runs/{wildcards.run}"):
        return []
    sweep = PROJECT.runs[wildcards.run][0].sweep
    return [f"results/sweeps/{sweep.id}/sweep.json"] if sweep else []


def get_first_identity(wildcards):
    """Of a trial that waits for others, run.json of the sweep's first run.

    Snakemake looks at no parameters of a job below one that runs, also if the way there leads
    through an ancient input. So a change of all identities is passed on by an ordinary one.
    """
    experiment, run = PROJECT.runs[wildcards.run]
    sweep = experiment.sweep
    if run.trial is None or sweep is None:
        return []
    first = sweep.trial_runs(0)[0]
    has_waited = not run.trial.isdigit() or sweep.waits_for(int(run.trial))
    return [f"results/runs/{first}/run.json"] if has_waited else []


def get_told(file):
    """A file of the runs whose results decide with those before them what a trial is."""

    def get(wildcards):
        runs = PROJECT.sweeps[wildcards.sweep].sweep.waits_for(int(wildcards.trial))
        return expand("results/runs/{run}/{file}", run=runs, file=file)

    return get


def get_trial_before(wildcards):
    number = int(wildcards.trial)
    if number == 0 or not PROJECT.sweeps[wildcards.sweep].sweep.is_sequential:
        return []
    return f"results/sweeps/{wildcards.sweep}/trials/{number - 1:04d}.json"


def get_trial_results(wildcards):
    sweep = PROJECT.sweeps[wildcards.sweep].sweep
    runs = [run for number in range(sweep.count) for run in sweep.trial_runs(number)]
    return expand("results/runs/{run}/{file}", run=runs, file=ENDED)


def get_outcomes(wildcards):
    """Of a sweep that was run elsewhere, what came of each run; else train.json says it."""
    made_here = EXPORT["source"] == "local"
    runs = [] if made_here else PROJECT.sweeps[wildcards.sweep].runs
    return [f"results/runs/{run.id}/outcome.json" for run in runs]


def get_sweep_plan(wildcards):
    return f"results/experiments/{PROJECT.sweeps[wildcards.sweep].id}.json"


def get_trials(wildcards):
    trials = {run.trial: None for run in PROJECT.sweeps[wildcards.sweep].runs}
    return [f"results/sweeps/{wildcards.sweep}/trials/{trial}.json" for trial in trials]


def get_sweep_manifests(wildcards):
    runs = [run.id for run in PROJECT.sweeps[wildcards.sweep].runs]
    return expand("results/runs/{run}/manifest.json", run=runs)


def get_dataset(wildcards):
    dataset = PROJECT.runs[wildcards.run][0].spec["dataset"]
    return f"results/datasets/{dataset['name']}/dataset.json" if dataset else []


def get_dataset_source(wildcards):
    dataset = PROJECT.datasets[wildcards.dataset]
    return local(dataset.get("path") or dataset["program"])


def get_resource(name):
    return lambda wildcards: PROJECT.runs[wildcards.run][0].spec["resources"][name]


def get_time_limit(wildcards):
    """A scheduler's limit: later than the run's own, which ends it as failed and in order."""
    minutes = get_resource("runtime")(wildcards)
    return minutes + 10 if minutes else None


def get_logged(wildcards):
    if lost := get_lost_logs(f"results/runs/{wildcards.run}"):
        return lost
    if EXPORT["source"] == "api":
        return [f"results/runs/{wildcards.run}/server.json"]
    names = ("train.json", "upload.json")
    return [
        *(f"results/runs/{wildcards.run}/{name}" for name in names),
        *filter(None, [get_dataset(wildcards)]),
    ]


def get_plans(wildcards):
    return expand(
        "results/experiments/{experiment}.json", experiment=PROJECT.experiments
    )


def get_datasets(wildcards):
    made_here = EXPORT["source"] == "local"
    datasets = PROJECT.datasets if made_here else ()
    return expand("results/datasets/{dataset}/dataset.json", dataset=datasets)


def get_ended(wildcards):
    made_here = EXPORT["source"] == "local"
    name = "train.json" if made_here else "manifest.json"
    return expand("results/runs/{run}/{name}", run=PROJECT.runs, name=name)


def get_begun(wildcards):
    return expand("results/runs/{run}/run.json", run=PROJECT.runs)


def get_asked(wildcards):
    return get_plans(wildcards) if EXPORT["source"] == "api" else []


def get_index(project):
    """The group of each run of a W&B project, as `refresh` has found them."""
    path = place(f"results/projects/{project}/runs.json")
    if not os.path.exists(path):
        return {}
    with open(path) as index:
        return json.load(index)


def get_server_runs(wildcards):
    members = get_index(wildcards.project).items()
    return [
        f"results/projects/{wildcards.project}/runs/{run}/manifest.json"
        for run, group in members
        if group == wildcards.server_group
    ]


def get_server_log(wildcards):
    folder = f"results/projects/{wildcards.project}/runs/{wildcards.run}"
    return get_lost_logs(folder) or [f"{folder}/server.json"]


def get_server_groups(wildcards):
    return [
        f"results/projects/{chosen['project']}/groups/{group}/runs.csv"
        for chosen in EXPORT["projects"]
        for group in sorted(set(get_index(chosen["project"]).values()))
    ]


def get_shown_plans(section, name):
    runs = PROJECT.shown_runs(section, name)
    experiments = dict.fromkeys(PROJECT.runs[run][0].id for run in runs)
    return expand("results/experiments/{experiment}.json", experiment=experiments)


def get_shown_manifests(section, name):
    runs = PROJECT.shown_runs(section, name)
    return expand("results/runs/{run}/manifest.json", run=runs)


def get_all_shown_manifests(wildcards):
    return expand("results/runs/{run}/manifest.json", run=PROJECT.all_shown_runs)


def get_items(wildcards):
    claims = ["results/paper/claims.json"] if PAPER["claims"] else []
    return [
        *expand("results/paper/tables/{table}.json", table=PAPER["tables"]),
        *expand("results/paper/figures/{figure}.json", figure=PAPER["figures"]),
        *claims,
    ]


def get_measured(name):
    """What a figure's entry says of its numbers, which are the same in every width."""
    return {
        key: value for key, value in PAPER["figures"][name].items() if key != "width"
    }


def get_figure_manifests(name):
    return [] if PROJECT.shown_sweep(name) else get_shown_manifests("figures", name)


def get_figure_trials(name):
    sweep = PROJECT.shown_sweep(name)
    return [f"results/sweeps/{sweep}/trials.csv"] if sweep else []


def get_claim_plans(wildcards):
    plans = (get_shown_plans("claims", claim) for claim in PAPER["claims"])
    return list(dict.fromkeys(path for paths in plans for path in paths))


def get_claim_manifests(wildcards):
    manifests = (get_shown_manifests("claims", claim) for claim in PAPER["claims"])
    return list(dict.fromkeys(path for paths in manifests for path in paths))


def get_strict(wildcards):
    is_strict = PROJECT.config["claims"] == "strict" and PAPER["claims"]
    return ["results/refuted.json"] if is_strict else []


def get_groups(file):
    """A file of every W&B group, of experiments and of whole projects."""
    own = expand("results/groups/{group}/{file}", group=PROJECT.groups, file=file)
    return lambda wildcards: own + [
        os.path.join(os.path.dirname(path), file)
        for path in get_server_groups(wildcards)
    ]


def get_verification(wildcards):
    path = "results/verification.json"
    return [path] if os.path.exists(place(path)) else []


def get_lost(wildcards):
    """Files of runs that are to be made anew, and that Snakemake doesn't miss.

    They were deleted, or `caduceus retry` has removed them, and what was made of them is there.
    """
    names = ["manifest.json", "run_summary.json", "metrics_history.csv"]
    names += ["train.json"] if EXPORT["source"] == "local" else []
    paths = [
        f"results/runs/{run.id}/{name}"
        for experiment in PROJECT.experiments.values()
        if os.path.exists(place(f"results/groups/{experiment.spec['group']}/runs.csv"))
        for run in experiment.runs
        for name in names
    ]
    return [path for path in paths if not os.path.exists(place(path))]


def get_paper(wildcards):
    return [
        *expand("results/groups/{group}/runs.csv", group=PROJECT.groups),
        *get_server_groups(wildcards),
        *expand("results/sweeps/{sweep}/trials.csv", sweep=PROJECT.sweeps),
        *expand("results/paper/tables/{table}.md", table=PAPER["tables"]),
        *expand("results/paper/figures/{figure}.pdf", figure=PAPER["figures"]),
        *(["results/paper/claims.md"] if PAPER["claims"] else []),
        "results/paper/compute.json",
        "results/paper/attempts.csv",
        "results/paper/provenance.json",
        "results/paper/checklist.md",
        "results/report/index.html",
    ]
