"""Servers that are too old to know each field of a query: what is then missing."""

import re
from typing import NamedTuple

# Fields without which everything else works, and what is then missing.
OPTIONAL = {
    "Artifact.description": "descriptions of artifacts are missing",
    "Artifact.fileCount": "all tables are downloaded, also those without media",
    "Artifact.size": "all tables are downloaded, also those without media",
    "Project.readOnly": "a project that you may only read is noticed at the first upload",
    "Query.clientIDMapping": "media in tables are assigned by the order in which they were logged",
    "Run.commit": "git commits are missing, unless the run's metadata have them",
    "Run.events": "system metrics are missing",
    "Run.eventsLineCount": "system metrics are missing",
    "Run.heartbeatAt": "a change of a run is noticed by `updatedAt` alone",
    "Run.host": "the names of hosts are missing, unless the run's metadata have them",
    "Run.jobType": "job types are missing",
    "Run.notes": "notes are missing",
    "Run.sweepName": "the sweeps that runs belong to are missing",
    "Run.updatedAt": "a change of a run that has ended may go unnoticed",
    "User.teams": "the names of your teams are missing in messages",
}
# The loss where a query needs a field that the server lacks, by the query's name.
_NEEDED = {
    "Artifacts": "artifacts can't be read",
    "CreateAgent": "it can't choose the trials of a sweep; leave out the sweep's `engine`",
    "Events": "system metrics can't be read",
    "Files": "files of runs can't be read",
    "Heartbeat": "it can't choose the trials of a sweep; leave out the sweep's `engine`",
    "History": "the rows of runs can't be read",
    "Run": "runs can't be read",
    "Runs": "runs can't be listed",
    "UpsertModel": "projects can't be created; create it on the server's page",
    "UpsertSweep": "sweeps can't be created",
    "Urls": "files of artifacts can't be downloaded",
}
_QUOTE = "[\"'`]"
_UNKNOWN_FIELD = re.compile(
    rf"Cannot query field {_QUOTE}(\w+){_QUOTE} on type {_QUOTE}(\w+?)(?:Type)?{_QUOTE}"
)
_UNKNOWN_ARGUMENT = re.compile(
    rf"Unknown argument {_QUOTE}(\w+){_QUOTE} on field {_QUOTE}(?:(\w+)\.)?(\w+){_QUOTE}"
)


class UnknownField(NamedTuple):
    """A field, or one of its arguments, that a server doesn't know.

    Attributes:
        type: GraphQL's type of the object that should have the field; empty if it isn't said.
        name: the field.
        argument: the argument; empty if the field itself is unknown.
    """

    type: str
    name: str
    argument: str = ""

    @property
    def loss(self) -> str | None:
        """The loss where the field is left out; None if the query needs it."""
        return None if self.argument else OPTIONAL.get(f"{self.type}.{self.name}")

    def refusal(self, query: str) -> str:
        """Return the message of an error: a query can't do without the field."""
        field = f"the field {self.name}{f' of {self.type}' if self.type else ''}"
        what = f"the argument {self.argument} of {field}" if self.argument else field
        return (
            f"is too old: it doesn't know {what}, so {_NEEDED.get(query, f'{query} fails')}; "
            "update the server"
        )


def unknown_fields(message: str) -> list[UnknownField]:
    """Return the fields that a server doesn't know, by the message of its error."""
    fields = [UnknownField(kind, name) for name, kind in _UNKNOWN_FIELD.findall(message)]
    arguments = (
        UnknownField(kind, name, argument)
        for argument, kind, name in _UNKNOWN_ARGUMENT.findall(message)
    )
    return [*fields, *arguments]


def without_field(query: str, name: str) -> str:
    """Return a query in which `__typename`, which every server knows, stands for a field.

    Variables that only this field used are left out: a server refuses those that nothing uses.
    """
    while found := re.search(rf"(?:\w+:\s*)?(?<![$\w]){name}\b(?!\s*:)", query):
        end = found.end()
        for opening, closing in ("()", "{}"):
            rest = query[end:]
            if rest.lstrip().startswith(opening):
                end += _length_of_pair(rest, opening, closing)
        query = f"{query[: found.start()]}__typename{query[end:]}"
    for variable, declared in re.findall(r"(\$\w+)(\s*:\s*[\w!\[\]]+,?\s*)", query):
        if len(re.findall(rf"{re.escape(variable)}\b", query)) == 1:
            query = query.replace(f"{variable}{declared}", "")
    return query.replace("()", "")


def _length_of_pair(text: str, opening: str, closing: str) -> int:
    """Return the length of `text` up to the end of the first pair of brackets."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == opening) - (letter == closing)
        if depth == 0 and letter == closing:
            return place + 1
    return len(text)
