"""The paper: tables, figures and claims, from config.yaml or the file that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from caduceus.errors import SpecError
from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.io.validation import Where, validate
from caduceus.io.yaml_files import Key, as_number, load
from caduceus.project.claims import Claim
from caduceus.project.sides import Side, Sides
from caduceus.runs.goal import Goal
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.metric import Metric
from caduceus.statistics.settings import Methods

Spread: TypeAlias = Literal[
    "interval", "std", "standard_error", "items"
]  # what stands beside a number


@dataclass(frozen=True, kw_only=True)
class PublishedResult(Record):
    """A result of others that a table or figure shows.

    Attributes:
        parameters: those of the variant that it belongs to; empty if it belongs to none.
        label: its name if it belongs to no variant.
        value: in the unit that is shown.
        interval: half the width of its interval, in the unit that is shown.
    """

    parameters: Mapping[str, Json]
    label: str
    value: float
    interval: float | None


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """The keys that tables and figures share; the schema of the paper describes each."""

    title: str
    experiments: tuple[str, ...]
    groups: tuple[str, ...]
    variants: tuple[Side, ...]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    goal: Goal | None
    percent: bool
    published: tuple[PublishedResult, ...]
    source: str

    @property
    def sides(self) -> Sides:
        """The variants that it shows; empty for all."""
        return {("variants", index): side for index, side in enumerate(self.variants)}


@dataclass(frozen=True, kw_only=True)
class TableEntry(Shown):
    """An entry of `paper.tables`."""

    decimals: int | None
    note: str
    tasks: str | None = None
    aggregates: tuple[str, ...] | None = None
    normalise: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    baseline: Side = field(default_factory=dict)
    second_best: bool | None = None
    spread: Spread = "interval"
    items: ItemFile | None = None
    relative: bool = False

    optional = ("items",)

    @property
    def underlines_second(self) -> bool:
        """Whether the second best of each column is underlined: by default in tables with tasks."""
        return self.tasks is not None if self.second_best is None else self.second_best


@dataclass(frozen=True, kw_only=True)
class FigureEntry(Shown):
    """An entry of `paper.figures`."""

    kind: str
    width: str = "text"
    baseline: Side
    tasks: str | None
    panel: str
    equal_within: float | None = None
    axis: str | None = None

    optional = ("axis",)

    @property
    def measured(self) -> dict[str, Json]:
        """The entry without its width, which changes none of its numbers."""
        return {key: value for key, value in self.to_json().items() if key != "width"}


Entry: TypeAlias = TableEntry | FigureEntry | Claim


@dataclass(frozen=True, kw_only=True)
class Paper(Record):
    """The paper, with its entries by name."""

    venue: str
    statistics: Methods
    tables: Mapping[str, TableEntry]
    figures: Mapping[str, FigureEntry]
    claims: Mapping[str, Claim]

    @property
    def entries(self) -> dict[tuple[str, str], Entry]:
        """All entries, by section and name."""
        sections: dict[str, Mapping[str, Entry]] = {
            "tables": self.tables,
            "figures": self.figures,
            "claims": self.claims,
        }
        return {
            (section, name): entry
            for section, entries in sections.items()
            for name, entry in entries.items()
        }


def parse_paper(value: Json, where: Where, above: Sequence[Key] = ()) -> Paper:
    """Check a paper and fill in the defaults.

    Args:
        value: the mapping in the user's file.
        where: finds the file and line of a key, for messages.
        above: the keys under which `value` stands in the file.

    Raises:
        SpecError: the first thing in it that is wrong.
    """
    _refuse_statistic_of_claim(value, where, above)
    filled = validate(value, "paper", where, above)
    for section in ("tables", "figures"):
        for entry in filled[section].values():
            metrics = entry.get("metrics", {})
            entry["metrics"] = {heading: _metric(metric) for heading, metric in metrics.items()}
    for claim in filled["claims"].values():
        test = next(claim[kind] for kind in Claim.kinds if kind in claim)
        test["metric"] = _metric(test["metric"])
    return Paper.from_json(filled)


def _refuse_statistic_of_claim(value: Json, where: Where, above: Sequence[Key]) -> None:
    """Say why a claim has no key `statistic`, which the schema would only call unknown."""
    claims = value.get("claims") if isinstance(value, dict) else None
    for name, claim in (claims if isinstance(claims, dict) else {}).items():
        if isinstance(claim, dict) and "statistic" in claim:
            raise SpecError(
                f"paper.claims.{name}.statistic: claims are decided on means; leave it out, and "
                "show medians or interquartile means in a table, by `paper.statistics.statistic`",
                where([*above, "claims", name, "statistic"]),
            )


def _metric(given: Json) -> Json:
    """Return the mapping that a metric's name alone stands for."""
    return {"name": given} if isinstance(given, str) else given


def load_paper(value: Mapping[str, Json] | str, where: Where, root: Path) -> tuple[Paper, Where]:
    """Read `paper` of config.yaml.

    Args:
        value: the mapping, the path of a file that holds it, or `none`.
        where: finds a key of config.yaml.
        root: the folder that the path starts from.

    Returns:
        The paper, and a function that finds its keys.

    Raises:
        SpecError: the first thing in it that is wrong.
    """
    if value == "none":
        value = {}
    if not isinstance(value, str):
        return parse_paper(value, where, ["paper"]), lambda keys: where(["paper", *keys])
    if not (root / value).is_file():
        raise SpecError(
            f"paper: {value} doesn't exist; give its path from the folder you work in",
            where(["paper"]),
        )
    source = load(root / value, value)
    return parse_paper(as_number(source.value), source.where), source.where
