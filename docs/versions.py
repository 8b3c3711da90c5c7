"""The documentation's versions: a page that lists them, and the sites of releases in the site.

A release has its site attached as `caduceus-docs-X.Y.Z.zip`. The workflow that publishes the site
puts these files into a folder and names it by RELEASED_DOCS; each then lies at X.Y.Z/ in the site.
"""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

_NAME = re.compile(r"caduceus-docs-(\d+)\.(\d+)\.(\d+)\.zip")


def released_sites(folder: Path) -> dict[str, Path]:
    """Return the zip file of each released version in a folder, the newest version first."""
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    found.sort(key=lambda each: tuple(map(int, each[0].groups())), reverse=True)
    return {".".join(match.groups()): path for match, path in found}


def versions_page(version: str, released: Iterable[str]) -> str:
    """Return the page of versions: which one this is, and links to the others."""
    lines = [
        "# Versions of this documentation",
        "",
        f"You read that of the source of version {version}.",
        "`caduceus --version` prints the version that you have installed.",
        "",
        "Each release has its documentation attached as `caduceus-docs-X.Y.Z.zip`: "
        "unpack it and open `index.html`; it needs no network.",
    ]
    # HTML, since the site checks links of Markdown before these pages are there.
    links = [f'- <a href="{name}/index.html">{name}</a>' for name in released]
    if links:
        lines += ["This site has them too, the newest first:", "", *links]
    return "\n".join(lines) + "\n"


def unpack_sites(released: dict[str, Path], site: Path) -> None:
    """Unpack the site of each release into the folder of its version."""
    for version, path in released.items():
        with zipfile.ZipFile(path) as packed:
            packed.extractall(site / version)
