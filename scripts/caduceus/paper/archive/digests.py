"""The digests of files that got pseudonyms, for the records that list them."""

import base64
import hashlib
import json
from typing import Any

from caduceus.io.files import FileDigest
from caduceus.paper.archive.contents import Entry


class Digests:
    """By the old digests of files their new ones."""

    def __init__(self) -> None:
        self._by_sha256: dict[str, FileDigest] = {}
        self._by_md5: dict[str, tuple[int, str]] = {}

    def add(self, old: Entry, new: Entry) -> None:
        """Note that `new` stands in place of `old`."""
        before, after = old.read(), new.read()
        self._by_sha256[_sha256(before)] = FileDigest(len(after), _sha256(after))
        self._by_md5[_md5(before)] = len(after), _md5(after)

    def of_sha256(self, sha256: str) -> FileDigest | None:
        """Return the digest of the file in place of another; None if that wasn't changed."""
        return self._by_sha256.get(sha256)

    def corrected(self, entry: Entry) -> Entry:
        """Return a record with the new digests in place of the old ones."""
        value = json.loads(entry.read())
        other = self._corrected(value)
        if other == value:
            return entry
        return Entry(entry.name, (json.dumps(other, indent=2, ensure_ascii=False) + "\n").encode())

    def _corrected(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._corrected(each) for each in value]
        if not isinstance(value, dict):
            return value
        if new := self._by_sha256.get(str(value.get("sha256"))):
            return value | {"bytes": new.bytes, "sha256": new.sha256}
        if known := self._by_md5.get(str(value.get("md5"))):
            return value | {"bytes": known[0], "md5": known[1]}
        return {key: self._corrected(each) for key, each in value.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
