"""The rules of the house that no linter knows."""

import ast
import functools
import re
import tomllib
from pathlib import Path

import pytest
from projects import REPOSITORY

LIBRARY = REPOSITORY / "scripts/caduceus"
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if "template" not in path.parts)
RULES = sorted((REPOSITORY / "workflow/rules").glob("*.smk"))
# Each outside system has one door.
DOORS = {
    "wandb": {"wandb_sdk.py"},
    "pynvml": {"nvml.py"},
    "subprocess": {"processes.py"},
    "requests": {"client.py"},
    "mcp": {"sdk.py"},
}


@functools.cache
def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_units_start_no_browser_cluster_server_or_engine_of_wandb() -> None:
    """Nor do they import any, by way of a helper in tests/support."""
    support = {path.stem: path for path in (REPOSITORY / "tests/support").rglob("*.py")}
    waiting = [REPOSITORY / "tests/conftest.py", *(REPOSITORY / "tests/unit").rglob("*.py")]
    seen: set[Path] = set()
    names: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            names |= imported(path)
            waiting += [support[name] for name in imported(path) & support.keys()]
    assert not names & {"chromium", "selenium", "slurm_cluster", "grid_engine", "wandb_server"}
    assert not names & {"sweeps", "mcp", "debian_packages", "graphql"}


def test_one_module_reads_csv_files() -> None:
    """It has the limit of a cell's length raised; contents.py writes one with the csv module."""
    users = {str(path.relative_to(LIBRARY)) for path in MODULES if "csv" in imported(path)}
    assert users == {"io/csv_rows.py", "paper/archive/contents.py"}


@pytest.mark.parametrize("system", DOORS)
def test_each_outside_system_has_one_door(system: str) -> None:
    users = {path.name for path in MODULES if system in imported(path)}
    assert users == DOORS[system]


@pytest.mark.parametrize(
    ("named", "doors"),
    [
        (r"\"(?:sbatch|squeue|scontrol|scancel|sinfo|sacct)\"", {"slurm.py"}),
        (r"\"(?:qsub|qstat|qdel)\"", {"grid_engine.py", "pbs.py"}),
        (r"\"(?:bsub|bjobs|bkill)\"", {"lsf.py"}),
        (r"\"condor_(?:submit|q|rm)\"", {"htcondor.py"}),
        (r"\[\"git\", \"", {"git.py"}),
    ],
)
def test_outside_programs_are_called_in_one_place(named: str, doors: set[str]) -> None:
    users = {path.name for path in MODULES if re.search(named, path.read_text())}
    assert users == doors


def test_the_reader_of_logs_knows_nothing_of_the_project() -> None:
    for path in (LIBRARY / "wandb_log").glob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith(("from caduceus", "import caduceus")):
                assert line.startswith("from caduceus.wandb_log"), path


def test_no_file_grows_without_limit() -> None:
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 350, path
    for path in (LIBRARY / "commands").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 50, path


def test_rules_are_one_call_each_with_a_log_and_literal_paths() -> None:
    for path in RULES:
        for rule in re.split(r"\n *rule ", path.read_text())[1:]:
            assert not re.search(r"^ +(run|script|notebook):", rule, re.MULTILINE)
            assert rule.count('"$CADUCEUS_PYTHON" -m caduceus') == 1
            assert "    log:\n" in rule
            outputs = rule.partition("    output:\n")[2].partition("    log:\n")[0]
            for quoted in re.findall(r'(?<!caption=)"([^"]+/[^"]*)"', outputs):
                assert quoted.startswith("results/"), quoted
            for use in re.findall(r"\{(?:input|output|params|log)[^}]*\}", rule):
                assert use.endswith(":q}"), use


def test_no_param_is_a_bare_text_of_the_users() -> None:
    """Snakemake would take `{name}` in it for a wildcard: `as_is` and functions keep it."""
    own = r"(lambda wildcards|as_is\(|digest\(|get_\w+[(,]|\[\"--online\"\])"
    for path in RULES:
        for params in re.findall(r"\n    params:\n((?:        .*\n)+)", path.read_text()):
            for param in re.findall(r"^ {8}\w+=(.*)", params, re.MULTILINE):
                assert re.match(own, param), f"{path.name}: {param}"


def test_the_lock_agrees_with_the_project() -> None:
    names = {}
    for file in ("requirements.txt", "requirements-dev.txt"):
        lines = (REPOSITORY / "envs" / file).read_text().splitlines()
        names[file] = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
        assert "torch==2.13.0" in lines  # a freeze would write 2.13.0+cpu, which no index has
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    # Its packages are installed beside those of the other files, so they must agree.
    lines = (REPOSITORY / "envs/requirements-ucr.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    names["requirements-ucr.txt"] = {line.partition("==")[0] for line in pinned}
    dev = (REPOSITORY / "envs/requirements-dev.txt").read_text().splitlines()
    for line in pinned:
        name = line.partition("==")[0]
        assert line in dev or name not in names["requirements-dev.txt"], line
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for wanted, file in (
        (project["dependencies"], "requirements.txt"),
        (project["optional-dependencies"]["mnist1d"], "requirements.txt"),
        (project["optional-dependencies"]["dev"], "requirements-dev.txt"),
        (project["optional-dependencies"]["gallery"], "requirements-dev.txt"),
        (project["optional-dependencies"]["mcp"], "requirements-dev.txt"),
        (project["optional-dependencies"]["ucr"], "requirements-ucr.txt"),
    ):
        for dependency in wanted:
            assert re.match("[A-Za-z0-9_-]+", dependency)[0].lower() in names[file], dependency


def test_every_dependency_has_a_reason() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text().partition("[project.scripts]")[0]
    for line in text.splitlines():
        if re.match(r'  "[a-zA-Z0-9_-]+[><=,.0-9]*",', line):
            assert "  # " in line, line
