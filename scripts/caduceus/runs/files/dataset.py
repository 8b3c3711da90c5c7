"""dataset.json: the data that runs use, as they are on disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.json_records import Record


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset.

    Attributes:
        bytes: its size.
        sha256: its sha256 in hex.
        md5: its md5 in base64, W&B's digest.
        mtime_ns: when it was last modified, in nanoseconds since 1970.
    """

    bytes: int
    sha256: str
    md5: str
    mtime_ns: int


@dataclass(frozen=True, kw_only=True)
class DatasetRecord(Record):
    """The content of dataset.json.

    Attributes:
        name: its name.
        version: the version that the experiment declares.
        path: the file or folder, relative to the project's folder.
        sha256: the digest of all of it: see `training.datasets`.
        bytes: the size of all files.
        files: its files by their paths below `path`, or by its own name.
    """

    name: str
    version: str | int | None = None
    path: str
    sha256: str
    bytes: int
    files: Mapping[str, DatasetFile]
