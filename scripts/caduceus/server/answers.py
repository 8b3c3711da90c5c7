"""The values in a W&B server's answer. Each is checked for its type when it is read."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from caduceus.errors import ServerError

_ADVICE = "is it a W&B server, and of a supported version? see WANDB_BASE_URL"


@dataclass(frozen=True)
class Answer:
    """A value in an answer, and where it stands there.

    Every method that reads the value raises ServerError, in one line that names the server, the
    query and the field, if the field is missing or its value has another type.

    Attributes:
        value: the value, as JSON.
        server: the address of the server, or of the file that is read.
        title: the question that is answered, such as "the query Runs"; empty for a file.
        path: the fields that lead from the whole answer to the value.
        unknown: names of fields that the server doesn't know; they read as null.
    """

    value: Any
    server: str
    title: str = ""
    path: str = ""
    unknown: Collection[str] = ()

    def __getitem__(self, name: str) -> "Answer":
        """Return the field of this name in an object."""
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        if name in self.value or name in self.unknown:
            return self._inside(self.value.get(name), f"{self.path}.{name}" if self.path else name)
        raise ServerError(
            f"{self._subject} lacks {self.path and f'{self.path}.'}{name}; {_ADVICE}", self.server
        )

    def optional(self, name: str) -> "Answer":
        """Return the field of this name in an object; null if it has none."""
        is_missing = isinstance(self.value, dict) and name not in self.value
        return self._inside(None, name) if is_missing else self[name]

    @property
    def is_null(self) -> bool:
        """Whether the value is null."""
        return self.value is None

    def fields(self) -> "Iterator[tuple[str, Answer]]":
        """Yield name and value of each field of an object."""
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        for name in self.value:
            yield name, self[name]

    def items(self) -> "list[Answer]":
        """Return the values in a list."""
        if not isinstance(self.value, list):
            raise self._wrong("a list")
        return [
            self._inside(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)
        ]

    def text(self, null: str | None = None) -> str:
        """Return a text; `null`, if given, in place of null."""
        value = null if self.is_null else self.value
        if not isinstance(value, str):
            raise self._wrong("text")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise self._wrong("Unicode") from None
        return value

    def whole_number(self, null: int | None = None) -> int:
        """Return a whole number; `null`, if given, in place of null."""
        value = null if self.is_null else self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong("a whole number")
        return value

    def number(self) -> float:
        """Return a number."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self._wrong("a number")
        return self.value

    def time(self) -> datetime:
        """Return a time as ISO 8601 writes it; without a zone it is in UTC."""
        try:
            found = datetime.fromisoformat(self.text().replace("Z", "+00:00"))
        except ValueError:
            raise self._wrong("a time") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def flag(self) -> bool:
        """Return a value that is true or false."""
        if not isinstance(self.value, bool):
            raise self._wrong("true or false")
        return self.value

    def parsed(self, null: str | None = None) -> "Answer":
        """Return the JSON value in a text; that of `null`, if given, in place of null or ""."""
        text = self.text(null) or null or ""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise self._wrong("JSON") from None
        if "\\ud" in text or "\\uD" in text:  # half a character; logs are in UTF-8
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise self._wrong("Unicode") from None
        return self._inside(value, self.path)

    @property
    def _subject(self) -> str:
        return f"its answer to {self.title}" if self.title else "the file"

    def _inside(self, value: Any, path: str) -> "Answer":
        return Answer(value, self.server, self.title, path, self.unknown)

    def _wrong(self, wanted: str) -> ServerError:
        found = _KINDS.get(type(self.value), "text")
        if wanted in ("JSON", "Unicode", "a time") and isinstance(self.value, str):
            found = "another text"
        return ServerError(
            f"{self._subject} has {found} at {self.path or 'its top'}, not {wanted}; {_ADVICE}",
            self.server,
        )


_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}
