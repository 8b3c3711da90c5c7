# The project that config.yaml and the experiment files add up to, and what is looked up in it.
#
# Needs: config.yaml, experiment files, training programs (read, never run).

import gc
import json
import os
import re

from caduceus.errors import CaduceusError
from caduceus.files import digest_text
from caduceus.locks import note_holder
from caduceus.project import command_digest, load_project
from caduceus.identities import identity

# A third of a dry run over 1,000 runs is Python's collector walking a graph of jobs that only grows.
gc.set_threshold(100_000, 50, 100)

try:
    PROJECT = load_project(
        config, [os.path.relpath(path) for path in workflow.configfiles]
    )
except CaduceusError as error:
    raise SystemExit(f"caduceus: {error}")  # one line, where a traceback would hide it

# The commands need Caduceus itself, which a rule's own environment wouldn't hold.
if workflow.deployment_settings.deployment_method:
    raise SystemExit(
        "caduceus: --software-deployment-method: one environment serves all rules; leave it out, "
        "and make the environment once by `make` or envs/environment.yaml"
    )

PAPER = PROJECT.config["paper"]
RETRIES = PROJECT.config["retries"]
DIGESTS = {
    command: command_digest(command)
    for command in (
        "validate_spec",
        "export_run",
        "export_group",
        "make_table",
        "make_figure",
    )
}


wildcard_constraints:
    experiment="|".join(map(re.escape, PROJECT.experiments)),
    dataset="|".join(map(re.escape, PROJECT.datasets)) or "none",
    group="|".join(map(re.escape, PROJECT.groups)),
    run="[A-Za-z0-9_.-]+",  # one pattern for thousands of names would slow each match down
    table="|".join(map(re.escape, PAPER["tables"])) or "none",
    figure="|".join(map(re.escape, PAPER["figures"])) or "none",


def get_experiment_file(wildcards):
    experiment, _ = PROJECT.runs[wildcards.run]
    return local(experiment.source.path)


def get_definition(wildcards):
    return json.dumps(PROJECT.runs[wildcards.run][1].definition)


def get_code(wildcards):
    return json.dumps(PROJECT.runs[wildcards.run][0].spec["code"])


def get_identity(wildcards):
    experiment, run = PROJECT.runs[wildcards.run]
    return json.dumps(identity(experiment, run, PROJECT.config["wandb"]))


def get_dataset(wildcards):
    dataset = PROJECT.runs[wildcards.run][0].spec["dataset"]
    return f"results/datasets/{dataset['name']}/dataset.json" if dataset else []


def get_dataset_source(wildcards):
    dataset = PROJECT.datasets[wildcards.dataset]
    return local(dataset.get("path") or dataset["program"])


def get_resource(name):
    return lambda wildcards: PROJECT.runs[wildcards.run][0].spec["resources"][name]


def get_shown(section, name, file):
    groups = PROJECT.groups_of(PAPER[section][name])
    return expand("results/groups/{group}/{file}", group=groups, file=file)


def get_paper(wildcards):
    return [
        *expand("results/groups/{group}/runs.csv", group=PROJECT.groups),
        *expand("results/paper/tables/{table}.md", table=PAPER["tables"]),
        *expand("results/paper/figures/{figure}.pdf", figure=PAPER["figures"]),
    ]
