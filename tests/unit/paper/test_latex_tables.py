"""Tables in LaTeX break heads and put intervals below values to become narrower."""

from paper_tables import SPEC, make, three_kinds
from projects import Project


def tabulars(text: str) -> list[list[str]]:
    """Return the lines between the first and the last rule of each tabular."""
    parts = text.split("\\toprule\n")[1:]
    return [part.partition("\n\\bottomrule")[0].splitlines() for part in parts]


def test_both_tabulars_hold_the_same_numbers_and_the_narrow_one_has_intervals_below(
    project: Project,
) -> None:
    made = make(project, three_kinds(10))
    wide, narrow = tabulars(made.text("tex"))

    cell = made.cells()["rate=0.3"]
    value, half = f"{cell['value']:.3f}", f"{(cell['high'] - cell['low']) / 2:.3f}"
    assert wide == ["rate & accuracy & n \\\\", "\\midrule", *wide[2:]]
    assert wide[-1] == rf"0.3 & ${value} \pm {half}$ & 10 \\"
    assert narrow[-2:] == [rf"0.3 & ${value}$ & 10 \\", rf" & $\scriptstyle \pm {half}$ &  \\"]
    assert narrow.count(r"\addlinespace") == 2


def test_heads_wider_than_their_numbers_are_broken_at_spaces_and_when_narrow_inside_of_names(
    project: Project,
) -> None:
    metrics = {"accuracy of the held-out part": "val/accuracy", "lossOfTheTask": "val/loss"}
    made = make(project, three_kinds(10), SPEC | {"metrics": metrics})
    wide, narrow = tabulars(made.text("tex"))

    assert wide[:3] == [
        r" & accuracy of &  &  \\",
        r" & the held-out &  &  \\",
        r"rate & part & lossOfTheTask & n \\",
    ]
    assert narrow[: narrow.index(r"\midrule")] == [
        r" & accuracy &  &  \\",
        r" & of the & loss &  \\",
        r" & held-out & OfThe &  \\",
        r"rate & part & Task & n \\",
    ]


def test_intervals_by_both_ends_stand_below_too(project: Project) -> None:
    made = make(project, three_kinds(10), statistic="iqm", interval="bca", resamples=200)
    wide, narrow = tabulars(made.text("tex"))
    cell = made.cells()["rate=0.3"]
    ends = f"[{cell['low']:.3f}, {cell['high']:.3f}]"

    assert rf"{cell['value']:.3f}\ {ends}$" in wide[-1]
    assert narrow[-1] == rf" & $\scriptstyle {ends}$ &  \\"


def test_long_labels_take_two_lines(project: Project) -> None:
    published = [{"label": "nearest neighbour of others", "value": 0.5}]
    made = make(project, three_kinds(2), SPEC | {"published": published})
    wide, narrow = tabulars(made.text("tex"))

    assert wide[-1].startswith("nearest neighbour of others & ")
    assert narrow[-2].startswith("nearest neighbour & ")
    assert narrow[-1].startswith("of others & ")
