"""Where a group shares a folder, what a process makes is the group's, and elsewhere it isn't."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from caduceus.system.shared_folders import open_to_group, project_place, share_with_group


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("shared", "made"), [(0o2775, 0o660), (0o2770, 0o660), (0o2755, 0o600), (0o775, 0o600)]
)
def test_files_are_the_groups_only_in_a_folder_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: int, made: int
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results").chmod(shared)
    (tmp_path / ".snakemake/log").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    share_with_group(project_place(Path("results")))
    (tmp_path / "file").write_text("")
    assert mode(tmp_path / "file") == made
    assert mode(tmp_path / ".snakemake/log") == (0o770 if made == 0o660 else 0o700)


def test_before_results_are_there_the_project_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_place(Path("sub/results")).samefile(tmp_path)
    (tmp_path / "sub").mkdir()
    assert project_place(Path("sub/results")) == Path("sub")
    share_with_group(tmp_path / "missing")
    assert os.umask(0o077) == 0o077


def test_private_files_of_a_program_are_opened_to_the_group_where_it_shares(
    tmp_path: Path,
) -> None:
    for name, own in {"staged": 0o400, "temporary": 0o600, "script": 0o700, "data": 0o644}.items():
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(own)
    outside = tmp_path.with_name("outside")
    outside.write_text("")
    outside.chmod(0o600)
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "folder").mkdir(mode=0o700)
    open_to_group(tmp_path)
    assert mode(tmp_path / "temporary") == 0o600

    os.umask(0o007)
    open_to_group(tmp_path)
    names = ("staged", "temporary", "script", "data", "folder")
    assert [mode(tmp_path / name) for name in names] == [0o440, 0o660, 0o770, 0o664, 0o770]
    assert mode(outside) == 0o600
