"""The links that a run leaves in its folder.

Once a run is done, none leads out of results/ or around in a circle: a copy or a zip of results/
that follows links would hold the project's data and keys once a run, or never end. Those that stay
are relative, so that they lead to the same files in a moved or copied results/.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from caduceus.io.copies import copy_file
from caduceus.io.files import files_below
from caduceus.runs.folder import RunFolder


def remove_outward_links(folder: RunFolder) -> None:
    """Remove each link of a run's folder that leads out of results/ or to a folder above itself.

    Those of the working folder are also removed if they lead to other results. The files that a
    link outside of it leads to, such as those of `wandb.save` or of the program's output, are
    copied to its place. Absolute links that stay are made relative.

    Raises:
        OSError: a file can't be copied.
    """
    own, results = folder.path.resolve(), folder.results.resolve()  # maybe on two disks

    def is_outward(link: Path) -> bool:
        places = [own] if link.is_relative_to(folder.code) else [own, results]
        return _is_circle(link) or not any(_target(link).is_relative_to(at) for at in places)

    outward = [link for link in _links(folder.path) if is_outward(link)]
    # The working folder's links come last, as others may lead through them.
    for link in sorted(outward, key=lambda link: link.is_relative_to(folder.code)):
        is_kept = not link.is_relative_to(folder.code) and not _is_circle(link)
        if is_kept and _can_be_reached(link):
            _replace_by_copy(link)
        else:
            link.unlink()
    for link in list(_links(folder.path)):
        if link.readlink().is_absolute():
            _make_relative(link, [own, results])


def _make_relative(link: Path, roots: Sequence[Path]) -> None:
    """Make a link relative if it and its target are below one of these folders."""
    place, target = link.parent.resolve(), _target(link)
    if any(place.is_relative_to(root) and target.is_relative_to(root) for root in roots):
        part = link.with_name(f".{link.name}.part")
        part.unlink(missing_ok=True)  # of a killed process
        part.symlink_to(os.path.relpath(target, place))
        part.rename(link)


def _links(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        for path in (Path(base, name) for name in [*folders, *names]):
            if path.is_symlink():
                yield path


def _target(link: Path) -> Path:
    return Path(os.path.realpath(link))  # `resolve` raises on a circle of links before Python 3.13


def _can_be_reached(link: Path) -> bool:
    """Whether a link leads to a file or folder that this user may reach."""
    try:
        return link.is_file() or link.is_dir()
    except PermissionError:  # such as one of another user's home, in a run that two have worked on
        return False


def _is_circle(link: Path) -> bool:
    return link.parent.resolve().is_relative_to(_target(link))


def _replace_by_copy(link: Path) -> None:
    part = link.with_name(f".{link.name}.part")
    if link.is_dir():
        part.mkdir(exist_ok=True)
        for file in files_below(link):
            target = part / file.relative_to(link)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(file, target)
    else:
        copy_file(link, part)
    link.unlink()
    part.rename(link)
