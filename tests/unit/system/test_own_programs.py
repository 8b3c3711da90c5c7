import sys
from pathlib import Path

import pytest
from caduceus.system.own_programs import build_words, caduceus_words

UV = ("UV", "UV_RUN_RECURSION_DEPTH")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs of an environment that this Python says it is in; none is on PATH."""
    folder = tmp_path / "archive-v0/Xy/bin"
    add(folder, "python", "caduceus", "snakemake")
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in UV:
        monkeypatch.delenv(name, raising=False)
    return folder


def add(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(0o755)


def test_an_active_environment_has_both(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(environment))
    assert (caduceus_words(), build_words()) == ("caduceus", "snakemake")


def test_pipx_links_caduceus_alone(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/caduceus").symlink_to(environment / "caduceus")
    assert (caduceus_words(), build_words()) == ("caduceus", "caduceus build")


def test_the_snakemake_of_another_environment_starts_no_build(
    environment: Path, tmp_path: Path
) -> None:
    add(tmp_path / "bin", "snakemake")
    (tmp_path / "bin/caduceus").symlink_to(environment / "caduceus")
    assert build_words() == "caduceus build"


def test_a_program_called_by_its_path_has_its_path(environment: Path) -> None:
    program = str(environment / "caduceus")
    assert (caduceus_words(), build_words()) == (program, f"{program} build")


def test_a_users_site_has_its_programs_elsewhere(environment: Path, tmp_path: Path) -> None:
    for name in ("caduceus", "snakemake"):
        (environment / name).unlink()
    add(tmp_path / "bin", "caduceus", "snakemake")
    assert (caduceus_words(), build_words()) == ("caduceus", "snakemake")


def test_uv_puts_neither_on_the_path(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the command that uvx or `uv run` starts both are on PATH, and not after it."""
    monkeypatch.setenv("PATH", str(environment))
    monkeypatch.setenv("UV", "/usr/bin/uv")
    assert (caduceus_words(), build_words()) == ("uvx caduceus-ml", "uvx caduceus-ml build")
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert (caduceus_words(), build_words()) == ("uv run caduceus", "uv run caduceus build")
