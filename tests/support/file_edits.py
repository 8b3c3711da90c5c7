"""Edits of any file of a project, as users, editors and accidents make them."""

import shutil
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path], object]


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def append(path: Path) -> None:
    with path.open("a") as stream:
        stream.write("\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def touch(path: Path) -> None:
    path.touch()


def delete(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def rename(path: Path) -> None:
    path.rename(path.with_name("renamed"))


def link(path: Path) -> None:
    """The same content, elsewhere."""
    path.rename(path.with_name("renamed"))
    path.symlink_to("renamed")


def copy_beside(path: Path) -> None:
    shutil.copy2(path, path.with_name(f"new_{path.name}"))


EDITS: tuple[Edit, ...] = (
    *(rewrite, append, empty, touch, delete, delete_folder, rename, link, copy_beside),
)
