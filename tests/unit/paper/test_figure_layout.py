"""How figures are laid out: nothing overlaps, nothing is cut off, whatever they show."""

import itertools
from typing import Any

import pytest
from caduceus.paper.figures.figure import draw
from caduceus.paper.figures.figure_data import FigureContent
from caduceus.paper.figures.layout import WIDTHS, add_title, text_width, wrap
from caduceus.paper.figures.style import house_style, line_style
from figure_exports import add_predictions, export_variants, learning, measured
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from projects import Project

BOTH = {"validation accuracy": "acc", "validation loss": "loss"}
PUBLISHED = [{"label": "human", "value": 96}, {"label": "the best known method", "value": 97}]
KINDS: dict[str, dict[str, Any]] = {
    "curves": {"metrics": BOTH},
    "bars": {"metrics": BOTH, "percent": True, "published": PUBLISHED},
    "differences": {"metrics": BOTH, "percent": True},
    "profiles": {"metrics": BOTH},
    "confusion": {},
}
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def texts_of(figure: Figure) -> list[tuple[str, Any]]:
    """All that is written, each with its box in pixels."""
    hidden = set()
    for axis in figure.findobj(Axis):
        shown = axis._update_ticks()
        for tick in axis.get_major_ticks() + axis.get_minor_ticks():
            if tick not in shown:
                hidden |= {id(tick.label1), id(tick.label2)}
    return [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text() and id(text) not in hidden
    ]


def check_layout(figure: Figure) -> None:
    with house_style():
        figure.draw_without_rendering()
        written = texts_of(figure)
        for text, box in written:
            assert box.x0 >= -0.5 and box.x1 <= figure.bbox.width + 0.5, text
            assert box.y0 >= -0.5 and box.y1 <= figure.bbox.height + 0.5, text
        for (one, first), (other, second) in itertools.combinations(written, 2):
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            along = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert across <= 1 or along <= 1, (one, other)
        boxes = [axes.get_tightbbox() for axes in figure.axes]
        boxes += [legend.get_window_extent() for legend in figure.legends]
        for first, second in itertools.combinations(boxes, 2):
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            along = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert across <= 1 or along <= 1


# The narrower, the harder; where there are two variants, there is room for what is beside them.
CASES = [("2", "text"), ("8 long", "column"), ("20", "column")]
OTHERS = [("2", "column"), ("8 long", "text"), ("20", "text")]


@pytest.fixture(scope="module")
def contents(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FigureContent]:
    """What a figure of each kind shows of so many variants."""
    count, _, is_long = request.param.partition(" ")
    names = [f"arch-{number}" for number in range(int(count))]
    if is_long:
        names = [f"{name}_with_stochastic_depth,label_smoothing={name}" for name in names]
    project = Project.create(tmp_path_factory.mktemp("figures") / "project")
    export_variants(project, names, 3, learning)
    add_predictions(project, CLASSES)
    return {kind: measured(project, kind, **keys) for kind, keys in KINDS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("contents", "width"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.soak) for case in OTHERS)],
    indirect=["contents"],
    scope="module",
)
def test_nothing_overlaps_or_is_cut_off(
    contents: dict[str, FigureContent], kind: str, width: str
) -> None:
    inches = WIDTHS["neurips"][width]
    with house_style():
        figure = draw(kind, contents[kind].numbers, inches)
        add_title(figure, "What the figure shows, in a title that a column is too narrow for")
    check_layout(figure)
    assert figure.get_figwidth() == inches
    assert min(size.get_fontsize() for size in figure.findobj(Text) if size.get_text()) >= 7


def test_lines_of_28_variants_look_different() -> None:
    styles = [line_style(place) for place in range(28)]
    assert len({repr(style) for style in styles}) == 28


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("two words", ["two", "words"]),
        ("rate=0.1,size=64", ["rate=", "0.1,", "size=", "64"]),
        ("abcdefghijkl", ["abcdef", "ghijkl"]),
        ("  spaces \n  are one ", ["spaces", "are", "one"]),
        ("$x$", [r"\$x\$"]),
    ],
)
def test_a_label_is_broken_where_it_may(text: str, lines: list[str]) -> None:
    with house_style():
        found = wrap(text, text_width("abcdef", 8), 8)
    assert found.split("\n") == lines
