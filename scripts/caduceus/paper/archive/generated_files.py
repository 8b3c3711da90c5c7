"""The files of an archive that describe it: README, Snakefile, environment and metadata."""

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

METADATA = "caduceus.json"  # in an archive: what programs need to know about it
_START = """\
# Rebuilds the files of derived/ below project/{results}, from the runs that are there.


workdir: "project"
"""
_SNAKEFILE = '''\


include: "pipeline/Snakefile"


rule rebuild:
    """Rebuild everything that was made from the runs."""
    default_target: True
    input:
        inputs("paper"),
        "results/paper/appendix.md",
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
    """Rebuild everything that was made from the runs."""
    default_target: True
    input:
        rules.paper.input,
        rules.write_appendix.output,
'''
_ENVIRONMENTS = """\
  environments.json  the environments that programs ran in, with their packages and digests; of a
                     uv project its pyproject.toml and uv.lock, in project/ or environments/
"""
_NOT_LISTED = ("pip", caduceus.DISTRIBUTION)
_README = """\
{title}

Everything that a paper's numbers were made from: the export of each run, the code that ran, and
the tables, figures and verdicts that follow. Made by Caduceus {caduceus} with Python {python}.

  project/           configuration, experiment files, programs; project/{results}/ has the runs
  code/              the code that ran, each version once; code/runs.csv lists the version of each
                     run
  derived/           what was made from project/{results}/: paper/ has tables, figures and claims,
                     report/index.html shows everything on one page
  pipeline/          Caduceus, which made it; pipeline/results/README.md describes each file and
                     column
  left_out.csv       files of the runs that are missing or stored elsewhere, with sha256 and reason
  environment.txt    the installed packages where this archive was made
{environments}  caduceus.json      what a program needs to know about this archive
  ro-crate-metadata.json
                     the workflow, the runs and their files for catalogues of research objects
  manifest.sha256    the sha256 of every other file

To check that no file is missing or changed:

  sha256sum --check --quiet manifest.sha256

To rebuild everything in derived/ without training, with Python {python}:

  python3 -m venv .venv && . .venv/bin/activate
  pip install --requirement pipeline/envs/requirements.txt
  pip install --no-deps --no-build-isolation ./pipeline
{python_path}  snakemake --cores 2
  diff --recursive derived project/{results} | grep --invert-match '^Only in project'

To do both, on the zip itself, once Caduceus is installed:

  caduceus check-archive {name}.zip

To train a run again, delete project/{results}/runs/RUN and type `snakemake --cores 2`; the programs
ran with the packages in environment.txt{others}.

Only data below project/ are included. The datasets of the runs, with their digests as in
project/{results}/datasets:

{datasets}
{about}"""
_NAMED = """\
About people and machines the archive contains only what the exports do: in run_summary.json and
train.json the names of hosts, their processors and GPUs with UUIDs, times and process ids.
"""
_ANONYMOUS = """\
The names of people, hosts, GPUs, home folders, commits and repositories are pseudonyms, such as
host-1: the same name has the same pseudonym in all files. Text that programs wrote has them too, so
digests in W&B's records of artifacts may be those of the original text.
"""


def generated_files(project: Project, name: str, results: Path) -> list[tuple[str, bytes]]:
    """Return README.txt, Snakefile, environment.txt and `METADATA`, each with its content.

    The metadata are the versions of `caduceus` and `python`; `results`, the folder in project/;
    `python_path`, the folders of PYTHONPATH in project/; and `repository`, the address of the
    project's git repository, None in an anonymous archive.

    Args:
        project: the loaded project.
        name: of the archive.
        results: the folder results/.
    """
    folders = _python_path()
    is_anonymous = project.settings.archive.anonymous
    metadata = {
        "name": name,
        "caduceus": caduceus.__version__,
        "python": platform.python_version(),
        "results": results.as_posix(),
        "python_path": folders,
        "repository": None if is_anonymous else repository_of(Path()),
    }
    export = os.pathsep.join(f"$PWD/project/{entry}" for entry in folders)
    records = [read_json(path) for path in dataset_files(project, results)]
    text = _README.format_map(
        metadata
        | {
            "title": f"{name}\n{'=' * len(name)}",
            "python_path": f"  export PYTHONPATH={export}\n" if export else "",
            "datasets": _datasets(records),
            "about": _ANONYMOUS if is_anonymous else _NAMED,
            "others": ", or in environments.json" if project.environments else "",
            "environments": _ENVIRONMENTS if project.environments else "",
        }
    )
    rules = _SNAKEFILE if results == Path("results") else _MODULE
    snakefile = (_START + rules).format(results=results.as_posix())
    installed = "".join(f"{each}=={version}\n" for each, version in installed_packages().items())
    return [
        ("README.txt", text.encode()),
        ("Snakefile", snakefile.encode()),
        ("environment.txt", installed.encode()),
        (METADATA, (json.dumps(metadata, indent=2) + "\n").encode()),
    ]


def installed_packages() -> dict[str, str]:
    """Return the version of every installed package by name, without its local part (+cpu)."""
    versions = {each.name: each.version.partition("+")[0] for each in distributions()}
    names = sorted(versions.keys() - set(_NOT_LISTED), key=str.lower)
    return {name: versions[name] for name in names}


def _python_path() -> list[str]:
    """Return the folders of PYTHONPATH inside the project: their modules are its programs' code."""
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
