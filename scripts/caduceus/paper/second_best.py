"""The second best value of each column of a table."""

from collections.abc import Mapping

from caduceus.paper.marks import Column, Mark, Place
from caduceus.statistics.samples import is_close


def second_best(columns: Mapping[str, Column], marks: Mapping[Place, Mark]) -> set[Place]:
    """Return the places of the second best values, by the shown statistic and without a test.

    A column with several best values has no second best.

    Args:
        columns: by heading.
        marks: of their cells.
    """
    places: set[Place] = set()
    for heading, column in columns.items():
        others = {row: v for row, v in column.values.items() if marks.get((heading, row)) != "best"}
        if others and len(column.values) - len(others) == 1:
            second = column.goal.best(others.values())
            places |= {(heading, row) for row, value in others.items() if is_close(value, second)}
    return places
