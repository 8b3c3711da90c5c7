"""The files of the board's page: its own, the report's that it shares, and BokehJS."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

PAGE_TYPE = "text/html; charset=utf-8"
_INDEX = "index.html"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_OWN, _OF_REPORT = "caduceus.overview.board", "caduceus.paper.report"
_BOKEH = "bokeh.js"
_REPORT = "report/"


@dataclass(frozen=True)
class PageFile:
    """A file with its media type."""

    content: bytes
    type: str


def read_page(nonce: str) -> bytes:
    """Return the page.

    Args:
        nonce: what the content policy of this answer names.
    """
    return _page_template().render(nonce=nonce, metrics=(), is_live=True).encode()


@cache
def _page_template() -> "Template":
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loaders = [PackageLoader(package, "assets") for package in (_OWN, _OF_REPORT)]
    environment = Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(_INDEX)


@cache
def page_files() -> dict[str, Traversable]:
    """Return the files that the page may ask for, by their names below /assets/."""
    own, report = dict(_files(_OWN)), dict(_files(_OF_REPORT))
    return own | {f"{_REPORT}{name}": file for name, file in report.items()}


def read_page_file(name: str) -> PageFile | None:
    """Return a file by its name below /assets/; None if the page has none of that name."""
    if name == _BOKEH:
        return PageFile(_bokeh(), _TYPES[".js"])
    file = page_files().get(name)
    return None if file is None else PageFile(file.read_bytes(), _TYPES[_suffix(name)])


@cache
def _bokeh() -> bytes:
    """Return BokehJS, which Bokeh ships for pages without a network."""
    from bokeh.resources import Resources

    resources = Resources(mode="inline", minified=True, components=["bokeh", "bokeh-api"])
    *scripts, _ = resources.js_raw  # the last script only sets the log level
    return "\n".join(scripts).encode()


def _files(package: str) -> Iterator[tuple[str, Traversable]]:
    folder = files(package).joinpath("assets")
    for file in folder.iterdir() if folder.is_dir() else ():
        if _suffix(file.name) in _TYPES and file.is_file():
            yield file.name, file


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
