"""Accounts that the real `wandb login` has stored are found."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from caduceus.system.wandb_account import find_account
from wandb_server import WandbServer

KEY = "secret" + "0123456789" * 4


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that is also the folder we work in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log_in(home: Path, variables: Mapping[str, str], *words: str) -> None:
    command = [Path(sys.executable).with_name("wandb"), "login", *words]
    done = subprocess.run(
        command, env=dict(variables), cwd=home, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("has_folder", [True, False])
def test_what_wandb_login_has_stored_is_found(
    home: Path, wandb_server: WandbServer, has_folder: bool
) -> None:
    variables = wandb_server.environment(home)
    for name in ("WANDB_BASE_URL", "WANDB_API_KEY", *["WANDB_CONFIG_DIR"] * (not has_folder)):
        del variables[name]
    log_in(home, variables, "--host", wandb_server.url, "--relogin", wandb_server.key)
    folder = variables.get("WANDB_CONFIG_DIR", home / ".config/wandb")

    assert wandb_server.url in Path(folder, "settings").read_text()
    account = find_account(variables)
    assert (account.base_url, account.key) == (wandb_server.url, wandb_server.key)
    assert account.key_from == str(home / ".netrc")


def test_what_wandb_login_has_stored_for_the_cloud_is_found(home: Path) -> None:
    variables = WandbServer().environment(home)
    for name in ("WANDB_BASE_URL", "WANDB_API_KEY"):
        del variables[name]
    log_in(home, variables, "--cloud", "--no-verify", KEY)
    assert find_account(variables).key == KEY
