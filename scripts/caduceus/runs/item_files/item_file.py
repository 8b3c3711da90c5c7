"""The key `items` of an entry of the paper: the file with the scores of a run's test items."""

from dataclasses import dataclass

from caduceus.io.json_records import Record


@dataclass(frozen=True, kw_only=True)
class ItemFile(Record):
    """A file that each run logged in an artifact, and where in it the scores are.

    A key in it is a column of CSV, or of a JSON object, in which dots lead into objects inside.

    Attributes:
        file: its path in the artifact; `*` stands for any text, as for the time in a name.
        artifact: the artifact's name, with `*` likewise; None if one artifact has the file.
        id: the key of an item's id; None for the one that has a usual name.
        score: the key of its score, of an Inspect log the scorer; None for whether the prediction
            equals the label, or for the only score of the file.
        prediction: the key of what was predicted; None for `prediction`.
        label: the key of what is right; None for `label`.
        cluster: the key of what several items share, such as the text that they ask about.
        filter: which lines of an lm-eval file count, of those with one `doc_id`.
    """

    file: str
    artifact: str | None = None
    id: str | None = None
    score: str | None = None
    prediction: str | None = None
    label: str | None = None
    cluster: str | None = None
    filter: str | None = None

    optional = ("artifact", "id", "score", "prediction", "label", "cluster", "filter")
