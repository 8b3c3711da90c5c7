"""Figures: what is drawn, and that the same data give the same bytes."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from caduceus.drawing import write_figure
from caduceus.errors import SpecError
from caduceus.paper.figures import draw_figure
from matplotlib.figure import Figure

VARIANTS = [
    {
        "experiment": "e",
        "variant": f"arch={arch}",
        "config.arch": arch,
        "runs": 2,
        "failed": failed,
        "metric": "acc",
        "n": n,
        "mean": mean,
        "low": mean - 0.1,
        "high": mean + 0.1,
    }
    for arch, n, failed, mean in (("cnn", 2, 0, 0.5), ("mlp", 1, 1, 0.25))
]
RUNS = [
    {"experiment": "e", "variant": variant, "run": run, "state": state, "summary.acc": accuracy}
    for run, variant, state, accuracy in (
        ("a", "arch=cnn", "finished", 0.4),
        ("b", "arch=cnn", "finished", 0.6),
        ("c", "arch=mlp", "finished", 0.25),
        ("d", "arch=mlp", "failed", 0.99),
    )
]
SPEC: dict[str, Any] = {
    "kind": "bars",
    "title": "",
    "metrics": {"accuracy": "acc"},
    "percent": True,
    "published": [
        {"parameters": {"arch": "cnn"}, "label": "", "value": 52, "interval": 2},
        {"parameters": {}, "label": "human", "value": 96, "interval": None},
    ],
    "source": "",
}


@pytest.fixture
def history(tmp_path: Path) -> Path:
    rows = [
        {"run": run, "experiment": "e", "variant": variant, "_step": step, "acc": value}
        for run, variant, value in (
            ("a", "arch=cnn", 0.1),
            ("b", "arch=cnn", 0.3),
            ("c", "arch=mlp", 0.2),
            ("d", "arch=mlp", float("nan")),
        )
        for step in (0, 10)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "history.parquet")
    return tmp_path / "history.parquet"


def draw(kind: str, history: Path, **changes: Any) -> Figure:
    return draw_figure(SPEC | {"kind": kind} | changes, VARIANTS, [history], RUNS, "name")


def test_curves_are_means_over_seeds_with_a_band(history: Path) -> None:
    (axes,) = draw("curves", history).axes
    lines = {line.get_label(): line for line in axes.lines}

    assert lines.keys() == {"cnn", "mlp (1 failed)"}
    assert list(lines["mlp (1 failed)"].get_ydata()) == pytest.approx([20, 20])
    assert list(lines["cnn"].get_xdata()) == [0, 10]
    assert list(lines["cnn"].get_ydata()) == pytest.approx([20, 20])
    assert len(axes.collections) == 2
    assert axes.get_ylabel() == "accuracy (%)"


def test_bars_show_means_seeds_and_published_values(history: Path) -> None:
    (axes,) = draw("bars", history).axes

    assert [bar.get_height() for bar in axes.patches] == [50, 25]
    dots = [list(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"]
    assert dots == [pytest.approx([40, 60]), pytest.approx([25])]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cnn", "mlp (1 failed)"]
    assert any(list(line.get_ydata()) == [96, 96] for line in axes.lines)


@pytest.mark.parametrize("kind", ["curves", "bars"])
def test_a_metric_that_no_run_has_is_refused(history: Path, kind: str) -> None:
    with pytest.raises(SpecError, match=r"paper.figures.name: metrics.loss: no run has 'los'; "):
        draw(kind, history, metrics={"loss": "los"})


def test_the_legend_explains_what_only_a_later_variant_has(history: Path) -> None:
    published = [{"parameters": {"arch": "mlp"}, "label": "", "value": 52, "interval": 2}]
    figure = draw("bars", history, published=published)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(texts) == ["95 % interval", "one seed", "published"]


@pytest.mark.parametrize("kind", ["curves", "bars"])
def test_the_same_data_give_the_same_bytes(history: Path, tmp_path: Path, kind: str) -> None:
    for folder in ("one", "two"):
        write_figure(draw(kind, history, title="A title"), tmp_path / folder, "figure")
    names = {path.name for path in (tmp_path / "one").iterdir()}

    assert names == {"figure.pdf", "figure.png", "figure.svg"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_fonts_are_embedded_as_text(history: Path, tmp_path: Path) -> None:
    write_figure(draw("bars", history), tmp_path, "figure")
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert re.search("<text[^>]*>.*accuracy", (tmp_path / "figure.svg").read_text())


@pytest.mark.parametrize("kind", ["curves", "bars"])
def test_nothing_is_clipped(history: Path, kind: str) -> None:
    figure = draw(kind, history, title="A title")
    figure.canvas.draw()
    drawn = figure.get_tightbbox()  # of all that is drawn, in inches

    assert min(drawn.x0, drawn.y0) >= 0
    assert drawn.x1 <= figure.get_figwidth()
    assert drawn.y1 <= figure.get_figheight()
