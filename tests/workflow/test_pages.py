"""Everything that the documentation shows is done as its reader does it."""

import os
import shutil
from pathlib import Path

import pytest
from pages import PAGES, blocks, play
from projects import REPOSITORY, Project
from wandb_server import WandbServer

# What a page's reader has at its beginning: nothing, a new project, one whose runs are there.
BEGINNINGS = {
    "analyst.md": "nothing",
    "architecture.md": "nothing",
    "comparison.md": "nothing",
    "decisions/leases.md": "nothing",
    "decisions/no_checkpoint.md": "nothing",
    "decisions/offline_first.md": "nothing",
    "decisions/one_rendering.md": "nothing",
    "decisions/own_log_reader.md": "nothing",
    "decisions/site_generator.md": "nothing",
    "dependencies.md": "nothing",
    "design.md": "nothing",
    "gallery.md": "nothing",
    "how_to/accept_an_edit.md": "trained",
    "how_to/axes.md": "nothing",
    "how_to/board.md": "nothing",
    "how_to/certificates.md": "new",
    "how_to/ci.md": "new",
    "how_to/cluster_site.md": "new",
    "how_to/compose.md": "nothing",
    "how_to/environments.md": "nothing",
    "how_to/hydra.md": "nothing",
    "how_to/index.md": "nothing",
    "how_to/install.md": "nothing",
    "how_to/kinds.md": "nothing",
    "how_to/kubernetes.md": "new",
    "how_to/lightning.md": "nothing",
    "how_to/merge.md": "nothing",
    "how_to/migrating.md": "new",
    "how_to/own_program.md": "nothing",
    "how_to/own_project.md": "nothing",
    "how_to/paper.md": "trained",
    "how_to/preemption.md": "new",
    "how_to/notify.md": "new",
    "how_to/preload.md": "nothing",
    "how_to/systems.md": "nothing",
    "how_to/slurm_site.md": "new",
    "how_to/sweep.md": "new",
    "how_to/test_items.md": "new",
    "how_to/try.md": "new",
    "json.md": "new",
    "security.md": "nothing",
    "stability.md": "nothing",
    "troubleshooting.md": "new",
    "tutorials/first_figure.md": "nothing",
    "what_reruns.md": "new",
}
WITH_A_SERVER = {"how_to/online.md": "new", "tutorials/first_sync.md": "trained"}
LONG = (  # as a whole
    "how_to/accept_an_edit.md",
    "how_to/paper.md",
    "how_to/preemption.md",
    "tutorials/first_figure.md",
)


def environment(home: Path) -> dict[str, str]:
    """That of a user of git with nothing else in the home folder."""
    home.mkdir(exist_ok=True)
    who = {
        f"GIT_{role}_{what}": "a@b.c"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {"HOME": str(home), "PYTHONPATH": os.environ.get("PYTHONPATH", "")} | who


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A new project of two runs, committed and trained."""
    folder = tmp_path_factory.mktemp("pages")
    Project(folder).caduceus("init", "first").check()
    project = Project(folder / "first")
    project.change("experiments/first.yaml", seeds=[0])
    script = "git init -q && git add -A && git commit -qm Begin && snakemake --cores 2"
    project.run("bash", "-c", script, **environment(folder / "home")).check()
    return project


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Where the reader of the page begins."""
    beginning = (BEGINNINGS | WITH_A_SERVER)[request.node.callspec.params["name"]]
    project = Project(tmp_path / "reader" / "first")
    if beginning == "trained":
        study = request.getfixturevalue("study")
        shutil.copytree(study.path, project.path, symlinks=True)
    else:
        project.path.mkdir(parents=True)
        if beginning == "new":
            project.caduceus("init", ".").check()
    return project


def long(names: object) -> list[object]:
    return [pytest.param(name, marks=pytest.mark.soak) for name in names]


SHORT = [name for name in BEGINNINGS if name not in LONG]
WITH_LONG_PARTS = [
    name
    for name in SHORT
    if any(block.note == "soak" for block in blocks(REPOSITORY / "docs" / name))
]


def test_every_page_is_read_by_a_test() -> None:
    names = {path.relative_to(REPOSITORY / "docs").as_posix() for path in PAGES}
    assert names == {*BEGINNINGS, *WITH_A_SERVER}


@pytest.mark.parametrize("name", SHORT)
def test_what_a_page_shows_works(name: str, place: Project, tmp_path: Path) -> None:
    play(REPOSITORY / "docs" / name, place, is_long=False, **environment(tmp_path / "home"))


@pytest.mark.parametrize("name", long([*LONG, *WITH_LONG_PARTS]))
def test_what_a_long_page_shows_works(name: str, place: Project, tmp_path: Path) -> None:
    play(REPOSITORY / "docs" / name, place, is_long=True, **environment(tmp_path / "home"))


@pytest.mark.parametrize("name", long(WITH_A_SERVER))
def test_what_a_page_shows_works_with_a_server(
    name: str, place: Project, tmp_path: Path, wandb_server: WandbServer
) -> None:
    variables = wandb_server.environment(tmp_path / "home")
    kept = {key: text for key, text in variables.items() if key not in ("PATH", "WANDB_DIR")}
    play(REPOSITORY / "docs" / name, place, is_long=True, **kept)

    assert {run.state for run in wandb_server.runs} == {"finished"}
