"""config.yaml as records, with the defaults of its schema."""

from pathlib import Path

import pytest
from caduceus.errors import SpecError
from caduceus.project.settings import key_finder, load_settings, parse_settings


def test_defaults_are_filled_in() -> None:
    settings = parse_settings({"experiments": "a.yaml"}, str)
    assert settings.experiments == ("a.yaml",)
    assert (settings.wandb.mode, settings.retries, settings.claims) == ("offline", 0, "report")
    assert settings.defaults == {"seed": 0}
    assert not settings.export.is_remote
    assert parse_settings({"experiments": ["a"], "export": {"source": "api"}}, str).export.is_remote


@pytest.mark.parametrize(("entity", "path"), [(None, "p"), ("team", "team/p")])
def test_the_path_of_the_project_has_its_entity(entity: str | None, path: str) -> None:
    wandb = {"project": "p", "entity": entity}
    settings = parse_settings({"experiments": ["a"], "wandb": wandb}, str)
    assert str(settings.wandb.path) == path


def test_numbers_that_snakemake_takes_for_text_are_numbers() -> None:
    settings = parse_settings({"experiments": ["a"], "defaults": {"rate": "1e-3"}}, str)
    assert settings.defaults["rate"] == 0.001


@pytest.mark.parametrize(("text", "found"), [("", "null"), ("[1]", "[1]")])
def test_a_file_that_holds_no_mapping_is_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"the file: found .*, allowed: a mapping") as error:
        load_settings(path)
    assert found in str(error.value)


def test_the_last_file_that_has_a_key_is_named(tmp_path: Path) -> None:
    first, last = tmp_path / "first.yaml", tmp_path / "last.yaml"
    first.write_text("retries: 1\nclaims: report\n")
    last.write_text("\nretries: 2\n")
    where = key_finder([str(first), str(last)])
    assert where(["retries"]) == f"{last}:2"
    assert where(["claims"]) == f"{first}:2"
    assert key_finder([])(["retries"]) == "config"


@pytest.mark.parametrize(
    "project", ["a/p{val}", "{a}/p", "../p", "a/..", "./p", "a/.", "a", "a/b/c"]
)
def test_a_project_that_can_name_no_folder_of_results_is_refused(project: str) -> None:
    with pytest.raises(SpecError, match=r"allowed: ENTITY/PROJECT, without braces"):
        parse_settings({"experiments": ["a"], "export": {"projects": [{"project": project}]}}, str)


def test_a_project_may_have_dots_and_spaces() -> None:
    for project in ("a.b/..c d.", ".a/b"):
        config = {"experiments": ["a"], "export": {"projects": [{"project": project}]}}
        assert parse_settings(config, str).export.projects[0].project == project
