"""The page of a report: its template filled in, with everything it needs inside."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from caduceus.io.files import write_whole
from caduceus.paper.report.filters import FILTERS

_SCRIPTS = ("data.js", "charts.js", "curves.js", "runs.js", "sweeps.js", "start.js")


def write_page(contents: Mapping[str, Any], out: Path) -> None:
    """Write the report.

    Everything is escaped where it is put into the page, and the browser is told to run no script
    but the two whose digests stand in the page's head, and to load nothing from anywhere.

    Args:
        contents: what `read_contents` gives.
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
    scripts = [_library(), _own_script()]
    page = environment.get_template("page.html").render(
        contents,
        style=Markup(_text("page.css")),
        scripts=[Markup(script) for script in scripts],
        digests=[_digest(script) for script in scripts],
        json=_json,
    )
    write_whole(out, page + "\n")


def _library() -> str:
    """BokehJS, as Bokeh ships it for pages without a network."""
    from bokeh.resources import Resources

    library = Resources(mode="inline", minified=True, components=["bokeh", "bokeh-api"])
    *scripts, _ = library.js_raw  # the last one sets how much Bokeh says on the console
    return "\n".join(scripts)


def _own_script() -> str:
    parts = "\n".join(map(_text, _SCRIPTS))
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


def _text(name: str) -> str:
    return files("caduceus.paper.report").joinpath("assets", name).read_text()


def _digest(script: str) -> str:
    """What a content security policy calls a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _json(value: Any) -> Markup:
    """JSON that can't end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
