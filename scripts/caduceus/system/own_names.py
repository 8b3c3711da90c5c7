"""What git, the environment and the system call the user, this machine and this project."""

import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from caduceus.system import git
from caduceus.system.wandb_account import dotenv_variables

# Kinds of names by the environment variables that hold one.
_VARIABLES = {
    "user": (
        *("USER", "LOGNAME", "USERNAME", "SUDO_USER", "SLURM_JOB_USER", "SLURM_JOB_ACCOUNT"),
        *("SBATCH_ACCOUNT", "SLURM_ACCOUNT", "WANDB_USERNAME", "GITHUB_ACTOR", "JUPYTERHUB_USER"),
        *("HF_USERNAME", "HUGGINGFACE_USERNAME", "KAGGLE_USERNAME"),
    ),
    "host": (
        *("HOSTNAME", "HOST", "COMPUTERNAME", "SLURM_SUBMIT_HOST", "SLURMD_NODENAME"),
        *("WANDB_HOST", "SLURM_CLUSTER_NAME"),
    ),
    "entity": ("WANDB_ENTITY", "WANDB_TEAM"),
    "email": (
        *("EMAIL", "DEBEMAIL", "WANDB_USER_EMAIL", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"),
    ),
    "author": ("DEBFULLNAME", "NAME", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"),
    "folder": ("HOME", "PWD", "USERPROFILE"),
    "remote": ("WANDB_BASE_URL",),
}
_PUBLIC_SERVERS = ("wandb.ai", "coreweave.com")


def own_names(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the kind of each name, the name, and who uses it.

    Kinds are user, host, entity, email, author, folder and remote. A name may occur twice.

    Args:
        root: the folder of the project.
    """
    for name, address in git.people_of(root):
        yield "author", name, "git"
        yield "email", address, "git"
    for address in git.remotes_of(root):
        yield "remote", address, "git"
    yield from _of_variables(os.environ | dotenv_variables())
    yield from _of_system(root)


def _of_variables(variables: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for kind, names in _VARIABLES.items():
        for name in names:
            value = variables.get(name, "").strip()
            is_public = (urlsplit(value).hostname or "").endswith(_PUBLIC_SERVERS)
            if value and not (kind == "remote" and is_public):
                yield kind, value, name


def _of_system(root: Path) -> Iterator[tuple[str, str, str]]:
    for user in {os.getuid(), os.geteuid()}:
        try:
            entry = pwd.getpwuid(user)
        except KeyError:  # as in a container
            continue
        yield "user", entry.pw_name, "the system"
        yield "folder", entry.pw_dir, "the system"
        for part in entry.pw_gecos.split(",")[:1]:
            yield "author", part.strip().replace("&", entry.pw_name.capitalize()), "the system"
    for host in {socket.gethostname(), socket.getfqdn(), os.uname().nodename}:
        yield "host", host, "the system"
    for folder in {root.absolute(), root.resolve()}:
        yield "folder", str(folder), "the system"
