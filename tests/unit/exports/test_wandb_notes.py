"""A run's notes: the description as it is now, and what the program said."""

import pytest
from caduceus.exports.wandb_notes import present_notes


@pytest.mark.parametrize(
    ("description", "at_start", "logged", "notes"),
    [
        ("A toy.", "A toy.", ["A toy."], "A toy."),
        ("A toy.", "A toy.", ["A toy.\n\nMine."], "A toy.\n\nMine."),  # wandb.init(notes=...)
        ("A toy.", "A toy.", ["Mine."], "A toy.\n\nMine."),  # run.notes = ...
        ("Edited.", "A toy.", ["A toy.\n\nMine."], "Edited.\n\nMine."),
        ("Edited.", "A toy.", ["A toy."], "Edited."),
        ("", "", ["Mine."], "Mine."),
        ("A toy.", "", ["Mine."], "A toy.\n\nMine."),
        ("", "A toy.", ["A toy."], ""),
        ("A toy.", "A toy.", ["A toy.\n\nFirst.", "A toy.\n\nSecond."], "A toy.\n\nSecond."),
        ("A toy.", "A toy.", ["Mine.", ""], "A toy.\n\nMine."),
        ("A toy.", "A toy.", ["A toy.\n\nMine.", "A toy."], "A toy.\n\nMine."),
        ("A toy.", "A toy.", [], "A toy."),
        ("A toy.", None, ["A toy.\n\nMine."], "A toy.\n\nMine."),  # it ran elsewhere
        ("Edited.", None, ["A toy."], "Edited."),
    ],
)
def test_the_programs_own_notes_are_kept(
    description: str, at_start: str | None, logged: list[str], notes: str
) -> None:
    assert present_notes(description, at_start, logged) == notes
