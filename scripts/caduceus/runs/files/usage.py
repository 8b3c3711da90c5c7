"""The part of an attempt's record that says which code, files and packages its program used."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class UsedFile:
    """A file of the project, as the program read it.

    Attributes:
        mtime_ns: when it was last modified, in nanoseconds since 1970.
        size: in bytes.
        sha256: its digest; None if it changed before the attempt ended, or is too large.
        tree: of a Python file the digest of its syntax tree; else None.
    """

    mtime_ns: int
    size: int
    sha256: str | None = None
    tree: str | None = None


@dataclass(frozen=True)
class LibraryFile:
    """The file of a module that is neither in the project nor installed.

    Attributes:
        path: its path from the project's folder; empty in an archive.
        mtime_ns: when it was last modified, in nanoseconds since 1970.
        size: in bytes.
        sha256: its digest; None if it changed before the attempt ended.
    """

    path: str
    mtime_ns: int
    size: int
    sha256: str | None = None


@dataclass(frozen=True)
class Usage:
    """The files, packages and interpreter that the processes of an attempt used.

    Attributes:
        files: the project's files that were read and are neither in the snapshot of the code nor
            declared data, by path.
        is_complete: False if a process read more files than are recorded.
        code: the digest of the snapshot of the code.
        python: the version of the interpreter; None if no Python ran.
        packages: by name, the version of each distribution that was imported.
        libraries: the modules that were imported from elsewhere, such as an editable install of a
            folder outside of the project, by their paths from the folder of the package.
    """

    files: Mapping[str, UsedFile] = field(default_factory=dict)
    is_complete: bool = True
    code: str | None = None
    python: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, LibraryFile] = field(default_factory=dict)

    def without_places(self) -> "Usage":
        """Return it without the paths of libraries, which name folders of this machine."""
        bare = {name: replace(file, path="") for name, file in self.libraries.items()}
        return replace(self, libraries=bare)
