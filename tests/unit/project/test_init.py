"""Files of a new project, beside whatever is there already."""

from pathlib import Path

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.io.yaml_files import load
from caduceus.project.init import create_project


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        ("study", "x", r"study: is a file; give the name of a folder"),
        ("study/experiments", "x", r"experiments: is a file; move it away, as a folder is needed"),
        ("study/experiments/first.yaml", "x", r"first.yaml: exists already; choose another folder"),
        ("study/snakefile", "x", r"snakefile: exists already, and Snakemake would take the new"),
        ("study/workflow/Snakefile", "x", r"workflow/Snakefile: exists already, and Snakemake"),
        ("study/workflow/snakefile", "x", r"workflow/snakefile: exists already, and Snakemake"),
        ("study/config.yaml", None, r"config.yaml: exists already; choose another name with"),
        ("study/Snakefile", None, r"Snakefile: exists already; choose another folder"),
    ],
)
def test_what_is_there_is_neither_lost_nor_hidden(
    tmp_path: Path, place: str, content: str | None, message: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.symlink_to("nowhere")
    else:
        path.write_text(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SpecError, match=message):
        create_project(tmp_path / "study", None)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["/elsewhere/x.yaml", "../x.yaml", ".", "a/../../x.yaml"])
def test_a_configuration_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match=r"isn't inside .*study; give a name in the project"):
        create_project(tmp_path / "study", None, name)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("name", ["2024", "1e5", "true", "null", "-", "0x1F", "mein Projekt ü"])
def test_any_folders_name_is_a_projects_name(tmp_path: Path, name: str) -> None:
    create_project(tmp_path / name, None)
    project = load(tmp_path / name / "config.yaml").value["wandb"]["project"]
    assert project == name.replace(" ", "-").replace("ü", "-")


@pytest.mark.parametrize("name", ["a: b #c.py", "train.py", "'quoted' \"twice\".py", "größe.py"])
def test_names_of_a_program_and_a_configuration_may_need_quotes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    create_project(tmp_path, tmp_path / name, f"{name}.yaml")
    assert load(tmp_path / "experiments/first.yaml").value["program"] == name
    assert yaml.safe_load((tmp_path / f"{name}.yaml").read_text())["wandb"]
    lines = (tmp_path / "Snakefile").read_text().splitlines()
    [named] = [line for line in lines if line.startswith("configfile: ")]
    assert eval(named.removeprefix("configfile: ")) == f"{name}.yaml"


def test_a_gitignore_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("own\n")
    (tmp_path / ".gitignore").symlink_to("shared")
    create_project(tmp_path, None)
    assert (tmp_path / ".gitignore").is_symlink()
    assert (tmp_path / "shared").read_text().startswith("own\n/.env\n")
