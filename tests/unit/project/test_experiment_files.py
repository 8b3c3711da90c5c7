"""Which files the patterns under `experiments` name."""

from pathlib import Path

import pytest
from caduceus.errors import SpecError
from caduceus.project.experiment_files import experiment_files

FILES = {
    "exp/b.yaml": "extends: exp/base.yaml\nid: b\n",
    "exp/a.yaml": "id: a\ntype: novel\n",
    "exp/base.yaml": "type: novel\nprogram: train.py\n",
    "exp/paper.yaml": "tables: {}\n",
    "exp/sweep.yaml": "method: grid\nparameters: {x: {values: [1]}}\n",
    "exp/deep/c.yaml": "id: c\ntype: novel\n",
    "odd[1].yaml": "id: odd\ntype: novel\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def named(folder: Path, *listed: str) -> list[str]:
    return experiment_files(listed, folder, lambda index: f"config.yaml:{index + 2}")


def test_a_pattern_takes_experiments_by_name_and_leaves_what_serves_them(folder: Path) -> None:
    assert named(folder, "exp/*.yaml") == ["exp/a.yaml", "exp/b.yaml"]
    assert named(folder, "exp/**/*.yaml") == ["exp/a.yaml", "exp/b.yaml", "exp/deep/c.yaml"]


def test_a_file_is_taken_once_and_a_listed_one_as_it_is(folder: Path) -> None:
    assert named(folder, "exp/b.yaml", "exp/*.yaml") == ["exp/b.yaml", "exp/a.yaml"]
    assert named(folder, "odd[1].yaml", "none.yaml") == ["odd[1].yaml", "none.yaml"]


def test_a_file_that_lacks_its_id_is_taken_so_that_it_is_reported(folder: Path) -> None:
    (folder / "exp/d.yaml").write_text("type: novel\n")

    assert "exp/d.yaml" in named(folder, "exp/*.yaml")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("exp/*.yml", 'experiments: no experiment file matches "exp/*.yml"; patterns start at'),
        ("/etc/*.yaml", 'experiments: "/etc/*.yaml": Non-relative patterns are unsupported'),
    ],
)
def test_a_wrong_pattern_is_named_with_its_line(folder: Path, pattern: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        named(folder, "exp/a.yaml", pattern)
    assert str(caught.value).startswith(f"config.yaml:3: {message}")
