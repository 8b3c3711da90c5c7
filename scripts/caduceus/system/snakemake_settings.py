"""Whether a call of Snakemake asks for nothing but what is missing or has changed."""

import dataclasses
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from caduceus.io.files import sha256
from caduceus.system.file_states import SNAKEMAKE

# Settings that force no job and leave none out.
_ANY = {"force_incomplete", "max_inventory_wait_time", "print_dag_as", "wrapper_prefix"}
_OF_FILES = ("omit_flags", "all_temp", "unneeded_temp_files", "default_storage_provider")
_INCOMPLETE = Path(SNAKEMAKE, "incomplete")


def common_settings(workflow: Any, rules: Path, template: Path) -> str | None:
    """Return what decides besides files, and for all jobs alike, whether a job has to run.

    Args:
        workflow: Snakemake's workflow, whose Snakefiles are parsed.
        rules: the folder of the rules of Caduceus.
        template: the Snakefile of a new project.

    Returns:
        A text that differs if the verdict on a job may differ. None if the call asks for more than
        the default target, forces jobs or leaves some out; if it takes files otherwise than rules
        say, or has Snakemake's records in a database; if there are rules other than those of
        Caduceus; or if a job was left incomplete, which has to run whatever its files are.
    """
    chosen = workflow.dag_settings
    if not workflow.is_main_process or workflow.touch or chosen is None:
        return None
    if workflow.execution_settings is None:
        return None  # nothing is executed, as by --delete-all-output
    of_files = any(getattr(workflow.storage_settings, name) for name in _OF_FILES)
    if of_files or not all(map(_is_usual, (chosen, workflow.workflow_settings))):
        return None
    if _INCOMPLETE.is_dir() and any(_INCOMPLETE.iterdir()):
        return None
    files = [Path(each.get_path_or_uri(secret_free=True)) for each in workflow.included]
    main, own = rules.parents[1] / "Snakefile", set(map(os.path.realpath, rules.glob("*.smk")))
    own.add(os.path.realpath(main))
    for path in files:
        if os.path.realpath(path) not in own and _statements(path) != _statements(template):
            return None
    texts = [version("snakemake"), sys.version, os.uname().nodename, *map(sha256, files)]
    return json.dumps(texts)


def _is_usual(chosen: Any) -> bool:
    """Whether settings that may decide which jobs run have their defaults."""
    usual = type(chosen)()
    for name in {each.name for each in dataclasses.fields(chosen)} - _ANY:
        value, default = getattr(chosen, name), getattr(usual, name)
        # A batch can't be compared with None.
        if bool(value) != bool(default) or (value and value != default):
            return False
    return True


def _statements(snakefile: Path) -> list[str]:
    """Return the lines of a Snakefile without comments."""
    lines = (line.partition("#")[0].rstrip() for line in snakefile.read_text().splitlines())
    return [line for line in lines if line]
