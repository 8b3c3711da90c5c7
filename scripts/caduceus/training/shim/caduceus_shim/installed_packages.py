"""List the installed packages for wandb without parsing all their metadata.

`wandb.init` writes the name and version of each installed package into the log. It parses the whole
metadata of a package once for its name and once for its version, which takes up to half of the CPU
time of a short run. Both are in the first lines. Where a package's aren't plain, wandb's own
function makes the list.
"""

import contextlib
import functools
import re
import sys

_FILES = ("METADATA", "PKG-INFO", "")  # in the order of importlib.metadata; "": an egg-info file
_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*)")
_PLAIN = re.compile(r"[0-9A-Za-z.!+_-]+\Z")
_WANTED = ("name", "version")
_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def wrap_list():
    """Replace the function of wandb that lists the installed packages, if this wandb has it."""
    util = sys.modules.get("wandb.util")
    original = getattr(util, "working_set", None)
    package = getattr(util, "InstalledDistribution", None)
    if original is None or package is None or hasattr(original, "is_caduceus"):
        return

    @functools.wraps(original)
    def working_set():
        with contextlib.suppress(Exception):  # wandb's own function says what is wrong
            return [package(key=name, version=version) for name, version in _packages()]
        return original()

    working_set.is_caduceus = True
    util.working_set = working_set


def _packages():
    """Return the name and version of each installed package, in the order of importlib.metadata.

    Raises:
        ValueError: the metadata of one has to be parsed.
    """
    from importlib.metadata import PathDistribution, distributions

    found = []
    for distribution in distributions():
        if type(distribution) is not PathDistribution:
            raise ValueError(distribution)
        found.append(_name_and_version(_text(str(distribution._path))))
    return found


def _text(folder):
    """Return the metadata of a package, in a folder or an egg-info file.

    Raises:
        ValueError: there are none.
        UnicodeDecodeError: they aren't UTF-8.
    """
    for file in _FILES:
        with contextlib.suppress(*_ABSENT):
            with open("{}/{}".format(folder, file).rstrip("/"), encoding="utf-8") as stream:
                text = stream.read()  # all, as wandb leaves a package out if it isn't UTF-8
            if text:
                return text
    raise ValueError(folder)


def _name_and_version(text):
    """Return the first name and version among the headers at the start of a text.

    Raises:
        ValueError: one of them is missing, or has to be parsed.
    """
    found = {}
    lines = [*text.split("\n"), ""]
    for number, line in enumerate(lines[:-1]):
        header = _HEADER.match(line)
        if header is None or len(found) == len(_WANTED):  # such as the end of the headers
            break
        name = header.group(1).lower()
        if name in _WANTED and name not in found:
            if not _PLAIN.match(header.group(2)) or lines[number + 1].startswith((" ", "\t")):
                break
            found[name] = header.group(2)
    if len(found) < len(_WANTED):
        raise ValueError(text[:80])
    return tuple(found[name] for name in _WANTED)
