"""Wheels that are packed from installed distributions, so that tests install without a network."""

import re
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

_OWN = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")  # of the installation


def make_wheels(folder: Path, *names: str) -> Path:
    """Write a wheel of each distribution, and of all that it needs; return the folder."""
    waiting, seen = [*names], set[str]()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        _pack(found, folder)
        needed = map(Requirement, found.requires or ())
        waiting += [
            each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})
        ]
    return folder


def _pack(found: Distribution, folder: Path) -> None:
    """Write the wheel of a distribution, with its files as they are."""
    files = [
        file
        for file in found.files or ()
        if ".." not in file.parts and "__pycache__" not in file.parts
    ]
    [info] = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    tag = re.search(r"^Tag: (\S+)", found.read_text("WHEEL") or "", re.MULTILINE)
    assert tag, found
    names = [file for file in files if not (file.parts[0] == info and file.name in _OWN)]
    wheel = folder / f"{info.removesuffix('.dist-info')}-{tag[1]}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in names:
            archive.write(str(file.locate()), file.as_posix())
        lines = [f"{file.as_posix()},," for file in names] + [f"{info}/RECORD,,"]
        archive.writestr(f"{info}/RECORD", "\n".join(lines) + "\n")
