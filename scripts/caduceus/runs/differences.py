"""Differences between runs that are averaged or compared: in the code that ran, in the environment.

Only train.json is read, which an archive has too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from caduceus.io.phrases import listed
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.used_files import counted_attempts, used_files

_NAMED = 4  # differences in a phrase
_NONE = "none"  # in place of the version of a package, or the content of a file
_DIGITS = 8  # of the digest of a file in a phrase

# The file whose digest stands for an environment, by its kind.
DECISIVE: Mapping[str, str] = {"uv": "uv.lock", "apptainer": "image"}

Runs = Sequence[Sequence[Attempt]]  # the attempts of each


@dataclass(frozen=True)
class Differences:
    """The code, files and environments that differ between some runs.

    Attributes:
        has_other_code: whether the snapshots of their code differ.
        files: the names of files beyond the code that were read with different contents.
        environment: phrases such as "Python 3.11.7 or 3.12.1".
    """

    has_other_code: bool
    files: tuple[str, ...]
    environment: tuple[str, ...]

    @property
    def code(self) -> tuple[str, ...]:
        """All that ran and differs, by name."""
        return (*(["the program's code"] if self.has_other_code else []), *self.files)

    @property
    def phrase(self) -> str:
        """All differences in a phrase; empty if there are none."""
        parts = [f"code: {listed(self.code, _NAMED)}"] if self.code else []
        parts += [listed(self.environment, _NAMED)] if self.environment else []
        return "; ".join(parts)


def differences(runs: Runs, are_seeds: bool = False) -> Differences:
    """Compare runs: each file and each part of the environment that at least two of them have.

    Args:
        runs: the attempts of each.
        are_seeds: whether they are seeds of one variant, which use the same. A package, or a module
            beyond the code, that only some of them used is then a difference: an optional one was
            installed or removed meanwhile. So is another file, if it was modified after a run
            without it had started; a file of each fold is none.
    """
    snapshots = {
        attempt.usage.code
        for attempts in runs
        for attempt in counted_attempts(attempts)
        if attempt.usage and attempt.usage.code
    }
    return Differences(
        len(snapshots) > 1,
        tuple(_differing([*_contents(runs), *(_lacking_files(runs) if are_seeds else ())])),
        tuple(
            f"{name} {' or '.join(values)}"
            for name, values in _differing(
                [*_environments(runs), *(_lacking_packages(runs) if are_seeds else ())]
            ).items()
        ),
    )


def merged(of_all: Sequence[str], of_seeds: Iterable[str]) -> list[str]:
    """Return phrases on all runs, and those on seeds of a variant that no other phrase covers."""
    named = {phrase.partition(" ")[0] for phrase in of_all}
    others = [phrase for phrase in of_seeds if phrase.partition(" ")[0] not in named]
    return [*of_all, *others]


def _differing(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that have several values, with these, sorted."""
    values: dict[str, set[str]] = {}
    for name, value in found:
        values.setdefault(name, set()).add(value)
    return {name: sorted(several) for name, several in values.items() if len(several) > 1}


def _contents(runs: Runs) -> Iterator[tuple[str, str]]:
    for attempts in runs:
        for name, used in used_files(attempts):
            # A file without a digest is known by its time and size alone.
            yield name, used.tree or used.sha256 or f"{used.mtime_ns} {used.size}"


def _lacking_files(runs: Runs) -> Iterator[tuple[str, str]]:
    """Yield the files that some runs used, for each run that could have used them and didn't."""
    noted = [attempts for attempts in runs if any(each.usage for each in attempts)]
    modified: dict[str, int] = {}
    for attempts in noted:
        for name, used in used_files(attempts):
            modified[name] = max(used.mtime_ns, modified.get(name, 0))
    for attempts in noted:
        start_ns = counted_attempts(attempts)[0].start_s * 1e9
        for name in modified.keys() - {name for name, _ in used_files(attempts)}:
            if name.endswith(".py") or modified[name] > start_ns:
                yield name, _NONE


def _lacking_packages(runs: Runs) -> Iterator[tuple[str, str]]:
    """Yield the packages that some runs imported, for each run that imported others only."""
    found = [
        {name for each in counted_attempts(attempts) if each.usage for name in each.usage.packages}
        for attempts in runs
    ]
    for names in filter(None, found):
        yield from ((name, _NONE) for name in set().union(*found) - names)


def _environments(runs: Runs) -> Iterator[tuple[str, str]]:
    for attempt in (attempt for attempts in runs for attempt in counted_attempts(attempts)):
        yield from environment(attempt).items()


def environment(attempt: Attempt) -> dict[str, str]:
    """Return the parts of an attempt's environment that are known, by name."""
    found: dict[str, str] = {}
    if attempt.machine:
        found["GPU"] = ", ".join(sorted(set(attempt.gpu_names))) or attempt.machine.mps or "none"
        if attempt.machine.cpu:
            found["CPU"] = attempt.machine.cpu
    if attempt.usage:
        found |= {"Python": attempt.usage.python} if attempt.usage.python else {}
        found |= attempt.usage.packages
        found |= {
            name: content_name(file.sha256, file.mtime_ns, file.size)
            for name, file in attempt.usage.libraries.items()
        }
    named = attempt.program_environment
    if named and named.kind in DECISIVE:  # the packages of an interpreter stand there already
        found[DECISIVE[named.kind]] = short_digest(named.sha256)
    return found


def short_digest(sha256: str) -> str:
    """Return the beginning of a digest, as phrases show it."""
    return sha256[:_DIGITS]


def content_name(sha256: str | None, mtime_ns: int, size: int) -> str:
    """Return what tells the content of a library's file from others in a phrase."""
    return short_digest(sha256) if sha256 else f"{mtime_ns} {size}"
