"""The digest of a rule covers the code that its command runs, and no more."""

import ast
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from caduceus.paper.figures.kinds import MODULES
from caduceus.project.command_digests import (
    PACKAGE,
    _content,
    _imported,
    code_digest,
    command_digests,
    reached_files,
)

# The packages that the command of each rule with a digest may reach, besides `caduceus` itself.
_EXPORT = {"commands", "exports", "io", "runs", "wandb_log"}
_FETCH = _EXPORT | {"server", "system"}
_GROUP = _EXPORT | {"statistics"}
_NUMBERS = {"commands", "io", "paper", "project", "runs", "statistics"}
REACHED = {
    "validate_spec": {"commands", "io", "project", "runs", "sweeps"},
    "export_run": _EXPORT,
    "export_fetched_run": _FETCH,
    "export_group": _GROUP,
    "export_server_run": _FETCH,
    "export_server_group": _GROUP,
    "export_sweep": {"commands", "exports", "io", "paper", "runs", "statistics", "sweeps"},
    "evaluate_run": {"commands", "io", "runs", "server", "sweeps", "system", "wandb_log"},
    "make_table": _NUMBERS,
    "check_claims": _NUMBERS,
    "sum_compute": {"commands", "io", "paper", "runs"},
    "record_provenance": {"commands", "io", "paper", "project", "runs", "statistics", "wandb_log"},
    "fill_checklist": {"commands", "io", "paper", "project", "runs", "statistics", "system"},
    "write_appendix": {"commands", "io", "paper", "project", "runs", "statistics"},
    "make_report": {"commands", "exports", "io", "paper", "runs", "statistics", "system"},
}
# By their kind, the figures that an edit of a module measures and draws again.
FIGURES = {
    "statistics/power.py": {"differences"},
    "statistics/profiles.py": {"profiles"},
    "paper/figures/bars.py": {"bars"},
    "paper/figures/style.py": set(MODULES),
    "exports/sweep_tables.py": {"sweep"},
    "paper/claims.py": set(),
}
# The rules that an edit of a module reruns.
RERUN = {
    "project/claim_checks.py": {"check_claims"},
    "paper/claims.py": {"check_claims"},
    "paper/ledger.py": {"sum_compute"},
    "paper/compute.py": {"sum_compute"},
    "paper/marks.py": {"make_table"},
    "statistics/power.py": {"make_table", "check_claims"},
    "overview/status.py": set(),
    "overview/plans.py": set(),
    "overview/progress.py": set(),
    "system/slurm.py": set(),
    "project/experiments.py": {"validate_spec"},
    "project/project.py": set(),
    "paper/report/assets/page.css": {"make_report"},
}


@pytest.mark.parametrize("command", REACHED)
def test_a_command_reaches_these_packages(command: str) -> None:
    files = reached_files(PACKAGE / "commands" / f"{command}.py")
    parts = [path.relative_to(PACKAGE).parts for path in files]
    assert {part[0] for part in parts if len(part) > 1} <= REACHED[command]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package to edit."""
    copy = tmp_path_factory.mktemp("copy") / "caduceus"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "pipeline"))
    return copy


@contextlib.contextmanager
def edited(module: Path) -> Iterator[None]:
    """Add a line to a module as long as the context lasts."""
    before = module.read_bytes()
    module.write_bytes(before + b"\n")
    _content.cache_clear()
    try:
        yield
    finally:
        module.write_bytes(before)
        _content.cache_clear()


@pytest.mark.parametrize("module", RERUN)
def test_an_edit_reruns_what_uses_it(package: Path, module: str) -> None:
    with edited(package / module):
        after = command_digests(REACHED, package)
    before = command_digests(REACHED)
    assert {command for command in REACHED if before[command] != after[command]} == RERUN[module]


def figure_digests(command: str, package: Path) -> dict[str, str]:
    return {
        kind: code_digest([f"commands/{command}", f"paper/figures/{name}"], package)
        for kind, name in MODULES.items()
    }


@pytest.mark.parametrize("module", FIGURES)
@pytest.mark.parametrize("command", ["measure_figure", "draw_figure"])
def test_an_edit_reruns_the_figures_of_the_kinds_that_use_it(
    package: Path, command: str, module: str
) -> None:
    with edited(package / module):
        after = figure_digests(command, package)
    before = figure_digests(command, PACKAGE)
    assert {kind for kind in MODULES if before[kind] != after[kind]} == FIGURES[module]


def test_a_copy_elsewhere_has_the_same_digests(package: Path) -> None:
    assert command_digests(REACHED, package) == command_digests(REACHED)


@pytest.mark.parametrize(
    ("statement", "reached"),
    [
        ("from caduceus.io.files import read_json", ["io/__init__.py", "io/files.py"]),
        (
            "from caduceus.io import (\n    files,  # why\n    cells as c,\n)",
            ["io/cells.py", "io/files.py"],
        ),
        ("    from caduceus.io import files  # heavy", ["io/files.py"]),
        ("import caduceus.io.files", ["io/files.py"]),
        ("import numpy, torch\nfrom pathlib import Path", []),
        ("if TYPE_CHECKING:\n    from caduceus.io.files import X\n\nx = 1", []),
    ],
)
def test_import_statements_are_followed(tmp_path: Path, statement: str, reached: list[str]) -> None:
    for name in ("__init__.py", "io/__init__.py", "io/files.py", "io/cells.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    module = tmp_path / "module.py"
    module.write_text(f"{statement}\n")
    found = {path.relative_to(tmp_path).as_posix() for path in reached_files(module, tmp_path)}
    assert set(reached) <= found
    assert bool(found - {"__init__.py", "module.py"}) == bool(reached)


@pytest.mark.slow
def test_no_import_of_ours_is_missed() -> None:
    """The regular expression finds what Python's parser finds, in every module."""
    for module in sorted(PACKAGE.rglob("*.py")):
        if {"pipeline", "template", "shim"} & set(module.relative_to(PACKAGE).parts):
            continue
        found = set(_imported(module, PACKAGE))
        for dotted in _import_statements(module):
            path = PACKAGE.parent.joinpath(*dotted.split(".")).with_suffix(".py")
            assert path in found or not path.is_file(), (module, dotted)


def _import_statements(module: Path) -> Iterator[str]:
    """The dotted names of the package that a module imports, those for types only left out."""
    tree = ast.parse(module.read_text())
    for_types = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import, which digests don't follow"
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("caduceus."))
