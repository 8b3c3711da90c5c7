"""What an archive says of itself, to people and to programs."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import caduceus
from caduceus.io.files import read_json
from caduceus.paper.archive.result_files import dataset_files
from caduceus.project.project import Project
from caduceus.system.git import repository_of

FACTS = "caduceus.json"  # in an archive: what programs need to know of it
_START = """\
# What stands in derived/ is made anew below project/{results}; runs that are there are kept.


workdir: "project"
"""
_SNAKEFILE = '''\


include: "pipeline/Snakefile"


rule rebuild:
    """Everything that was made from the runs."""
    default_target: True
    input:
        get_paper,
'''
_MODULE = '''\


configfile: "config.yaml"


module caduceus:
    snakefile:
        "pipeline/Snakefile"
    config:
        config
    replace_prefix:
        {{"results/": "{results}/"}}


use rule * from caduceus


rule rebuild:
    """Everything that was made from the runs."""
    default_target: True
    input:
        rules.paper.input,
'''
_NOT_INSTALLED_BY_PIP = ("pip", "caduceus")
_README = """\
{title}

Everything that a paper's numbers were made from: the export of each run, the code that ran, and
the tables, figures and verdicts that follow. Made by Caduceus {caduceus} with Python {python}.

  project/           configuration, experiment files, programs; project/{results}/ has the runs
  code/              the code that ran, each version once; code/runs.csv says which run had which
  derived/           what was made from project/{results}/: paper/ has tables, figures and claims,
                     report/index.html shows it all
  pipeline/          Caduceus, which made it; pipeline/results/README.md says what stands in each
                     file and column
  left_out.csv       files of the runs that aren't where they were, each with its sha256, and why
  environment.txt    what was installed where this archive was made
  caduceus.json      what a program needs to know of this archive
  manifest.sha256    the sha256 of every other file

To see that no file is missing or changed:

  sha256sum --check --quiet manifest.sha256

To make all that is in derived/ anew, without training anything, with Python {python}:

  python3 -m venv .venv && . .venv/bin/activate
  pip install --requirement pipeline/envs/requirements.txt
  pip install --no-deps --no-build-isolation ./pipeline
{python_path}  snakemake --cores 2
  diff --recursive derived project/{results} | grep --invert-match '^Only in project'

To do both, on the zip itself, once Caduceus is installed:

  caduceus check-archive {name}.zip

To train a run again, delete project/{results}/runs/RUN and type `snakemake --cores 2`; the programs
had the packages in environment.txt. Data are here only where they stand below project/. Those that
the runs used, each dataset.json in project/{results}/datasets says by its digests:

{datasets}
Of people and machines, only what the exports say stands here: in run_summary.json and train.json
the names of hosts, their processors and GPUs with their UUIDs, times and process numbers.
"""


def pages(project: Project, name: str, results: Path) -> list[tuple[str, bytes]]:
    """README.txt, Snakefile, environment.txt and FACTS, each with its content.

    Args:
        project: what is planned.
        name: the archive's.
        results: the folder results/.

    Returns:
        The last has the versions of `caduceus` and `python`, where `results` lie in project/,
        `python_path`, the folders of PYTHONPATH that lie there, and `repository`, where the project
        is kept.
    """
    folders = _python_path()
    facts = {
        "name": name,
        "caduceus": caduceus.__version__,
        "python": platform.python_version(),
        "results": results.as_posix(),
        "python_path": folders,
        "repository": repository_of(Path()),
    }
    export = os.pathsep.join(f"$PWD/project/{entry}" for entry in folders)
    records = [read_json(path) for path in dataset_files(project, results)]
    text = _README.format_map(
        facts
        | {
            "title": f"{name}\n{'=' * len(name)}",
            "python_path": f"  export PYTHONPATH={export}\n" if export else "",
            "datasets": _datasets(records),
        }
    )
    rules = _SNAKEFILE if results == Path("results") else _MODULE
    snakefile = (_START + rules).format(results=results.as_posix())
    installed = "".join(f"{each}=={version}\n" for each, version in installed_packages().items())
    return [
        ("README.txt", text.encode()),
        ("Snakefile", snakefile.encode()),
        ("environment.txt", installed.encode()),
        (FACTS, (json.dumps(facts, indent=2) + "\n").encode()),
    ]


def installed_packages() -> dict[str, str]:
    """The version of every installed package by its name, without a build's local part."""
    found = {each.name: each.version.partition("+")[0] for each in distributions()}
    names = sorted(found.keys() - set(_NOT_INSTALLED_BY_PIP), key=str.lower)
    return {name: found[name] for name in names}


def _python_path() -> list[str]:
    """The folders of PYTHONPATH inside the project, whose modules count as its programs' code."""
    here = Path().resolve()
    entries = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    paths = [Path(entry).resolve() for entry in entries]
    return [path.relative_to(here).as_posix() for path in paths if path.is_relative_to(here)]


def _datasets(records: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"  {record['name']}: {record['path']}, {record['bytes']} bytes,\n"
        f"    sha256 {record['sha256']}\n"
        for record in records
    ]
    return "".join(lines) or "  none\n"
