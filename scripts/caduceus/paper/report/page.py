"""Render the report as one self-contained page."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from caduceus.io.files import write_whole
from caduceus.paper.report.filters import FILTERS
from caduceus.paper.report.packing import inert_json

_SCRIPTS = (
    "elements.js",
    "data.js",
    "charts.js",
    "pages.js",
    "filters.js",
    "curves.js",
    "legend.js",
    "runs.js",
    "sweeps.js",
    "tries.js",
    "try_charts.js",
    "report_tries.js",
    "start.js",
)


def write_page(contents: Mapping[str, Any], out: Path) -> None:
    """Write the report.

    The template escapes all contents. The page's content security policy allows only its two
    scripts, by their digests, and no request to the network.

    Args:
        contents: from `read_contents`.
        out: the page.
    """
    environment = Environment(
        loader=PackageLoader("caduceus.paper.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(FILTERS)
    scripts = [_bokeh_script(), _own_script()]
    parts = environment.get_template("page.html").generate(
        contents,
        style=Markup(_text("page.css")),
        scripts=[Markup(script) for script in scripts],
        digests=[_digest(script) for script in scripts],
        json=lambda value: Markup(inert_json(value)),
        ranges=partial(_ranges, contents["places"]),
    )
    page = BytesIO()  # a text of all parts would take up to four bytes for each of their characters
    for part in parts:
        page.write(part.encode(errors="replace"))
    page.write(b"\n")
    write_whole(out, page.getvalue())


def write_failed_page(out: Path, error: str) -> None:
    """Write a page that says why the report couldn't be made."""
    text = f"The report failed: {escape(error)}"
    write_whole(out, f'<!doctype html><meta charset="utf-8"><title>failed</title><p>{text}</p>\n')


def _bokeh_script() -> str:
    """Return BokehJS, which Bokeh ships for pages without a network."""
    from bokeh.resources import Resources

    resources = Resources(mode="inline", minified=True, components=["bokeh", "bokeh-api"])
    *scripts, _ = resources.js_raw  # the last script only sets the log level
    return "\n".join(scripts)


def _own_script() -> str:
    parts = "\n".join(map(_text, _SCRIPTS))
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


def _text(name: str) -> str:
    return files("caduceus.paper.report").joinpath("assets", name).read_text()


def _digest(script: str) -> str:
    """Return the source expression of a script for a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _ranges(places: Mapping[str, list[int]], ids: Iterable[str]) -> str:
    """Return the indices of runs in short, such as "0-9 12"; a run that isn't in it has none."""
    ranges: list[list[int]] = []
    for place in sorted(place for run in set(ids) for place in places.get(run, ())):
        if ranges and ranges[-1][1] == place - 1:
            ranges[-1][1] = place
        else:
            ranges.append([place, place])
    return " ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)
