"""Draw the pictures of docs/architecture.md: `python docs/drawings.py` writes them to docs/assets.

The layers come from the contract of import-linter in pyproject.toml, the words beside each package
from the table in docs/architecture.md, and the way of the data from docs/data_flow.yaml.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_WIDTH = 960
_MARGIN, _GAP = 16, 12
_LINE = 16  # between two lines of text
_CHARACTER = 6.3  # width of a character of the small text
_STYLE = """
text { font-family: system-ui, sans-serif; font-size: 12px; fill: #37474f; }
.name { font-family: ui-monospace, monospace; font-size: 13px; font-weight: 600; fill: #00695c; }
.rule { font-family: ui-monospace, monospace; font-size: 12px; fill: #546e7a; }
.box { fill: #f3f8f8; stroke: #80aaa6; }
.side { fill: #fff; stroke: #b0bec5; stroke-dasharray: 4 3; }
.arrow { stroke: #546e7a; fill: none; marker-end: url(#head); }
""".strip()
_HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#546e7a"/></marker>'
)


def drawings(root: Path) -> dict[str, str]:
    """Return each picture as SVG, by its path in the repository."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    packages = package_words((root / "docs/architecture.md").read_text())
    flow = yaml.safe_load((root / "docs/data_flow.yaml").read_text())
    return {
        "docs/assets/layers.svg": draw_layers(
            [re.split(r" [:|] ", row) for row in layers], packages
        ),
        "docs/assets/data_flow.svg": draw_flow(flow),
    }


def package_words(page: str) -> dict[str, str]:
    """Return the sentence on each package in the first table of docs/architecture.md."""
    found = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", page, re.MULTILINE)
    return {name: words.replace("`", "") for name, words in found}


def draw_layers(layers: Sequence[Sequence[str]], words: Mapping[str, str]) -> str:
    """Draw a row of boxes for each layer, the top one first.

    Raises:
        KeyError: the page has no sentence on a package.
    """
    parts: list[str] = []
    top = _MARGIN
    for layer in layers:
        width = (_WIDTH - 2 * _MARGIN - _GAP * (len(layer) - 1)) / len(layer)
        texts = {name: _wrapped(words[name], width) for name in layer}
        height = 34 + _LINE * max(map(len, texts.values()))
        for place, name in enumerate(layer):
            left = _MARGIN + place * (width + _GAP)
            parts += _box(left, top, width, height, name, texts[name], "box")
        top += height + _GAP
    return _svg(top - _GAP + _MARGIN, parts)


def draw_flow(steps: Sequence[Mapping[str, Any]]) -> str:
    """Draw the steps from top to bottom, with what stands at their side on the right."""
    parts: list[str] = []
    width, side_left, height, between = 500.0, 660.0, 50, 40
    side_width = _WIDTH - _MARGIN - side_left
    top = _MARGIN
    for step in steps:
        parts += _box(_MARGIN, top, width, height, step["box"], [step["text"]], "box")
        if side := step.get("side"):
            lines = _wrapped(side["text"], side_width)
            parts += _box(
                side_left, top, side_width, 34 + _LINE * len(lines), side["box"], lines, "side"
            )
            ends = (
                (side_left, _MARGIN + width)
                if side["direction"] == "in"
                else (_MARGIN + width, side_left)
            )
            middle = top + height / 2
            parts.append(_arrow(ends[0], middle, ends[1], middle))
            parts.append(
                _text((_MARGIN + width + side_left) / 2, middle - 7, side["rules"], "rule", True)
            )
        if rules := step.get("rules"):
            parts.append(_arrow(_MARGIN + 40, top + height, _MARGIN + 40, top + height + between))
            parts.append(_text(_MARGIN + 54, top + height + between / 2 + 4, rules, "rule"))
        top += height + between
    return _svg(top - between + _MARGIN, parts)


def _wrapped(text: str, width: float) -> list[str]:
    return textwrap.wrap(text, int((width - 20) / _CHARACTER))


def _box(
    left: float, top: float, width: float, height: float, name: str, lines: Sequence[str], kind: str
) -> Iterator[str]:
    place = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}"'
    yield f'<rect class="{kind}" {place} rx="4"/>'
    yield _text(left + 10, top + 20, name, "name")
    for number, line in enumerate(lines):
        yield _text(left + 10, top + 38 + _LINE * number, line)


def _text(left: float, top: float, text: str, kind: str = "", is_centred: bool = False) -> str:
    attributes = f' class="{kind}"' if kind else ""
    attributes += ' text-anchor="middle"' if is_centred else ""
    return f'<text{attributes} x="{left:g}" y="{top:g}">{escape(text)}</text>'


def _arrow(left: float, top: float, right: float, bottom: float) -> str:
    return f'<path class="arrow" d="M{left:g} {top:g} L{right:g} {bottom:g}"/>'


def _svg(height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>{_STYLE}</style>",
        f"<defs>{_HEAD}</defs>",
        f'<rect width="{_WIDTH}" height="{height:g}" fill="#fff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path, picture in drawings(ROOT).items():
        (ROOT / path).write_text(picture)
