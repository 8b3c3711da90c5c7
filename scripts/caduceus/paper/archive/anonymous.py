"""Pseudonyms in place of the names of people, machines and places in an archive's files.

Names are replaced in what programs wrote: the fields of records, and all texts of runs and of the
code that ran; in the people of CITATION.cff and .zenodo.json; and in the entities of config.yaml.
What else the user wrote isn't changed. At the end every file is searched for names.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from caduceus.errors import ResultError
from caduceus.io.phrases import count_of
from caduceus.paper.anonymity.citation import people_in, without_people
from caduceus.paper.anonymity.closed import reason_by_name
from caduceus.paper.anonymity.fields import named, renamed
from caduceus.paper.anonymity.formats import MOST_BYTES
from caduceus.paper.anonymity.names import Name, known
from caduceus.paper.anonymity.pseudonyms import Pseudonyms
from caduceus.paper.anonymity.search import NameSearch, Place
from caduceus.paper.anonymity.sources import hosts_in
from caduceus.paper.archive.contents import Contents, Entry
from caduceus.paper.archive.digests import Digests
from caduceus.system.git import commits_of
from caduceus.system.own_names import own_names

CONFIG = "project/config.yaml"
_CITATIONS = ("project/CITATION.cff", "project/.zenodo.json")
_RECORDS = frozenset(
    (
        *("train.json", "run.json", "run_summary.json", "server.json", "upload.json"),
        *("outcome.json", "removed.json", "runs.json", "verification.json", "wandb-metadata.json"),
    )
)
_LISTING = (("/train.json", "/run_summary.json"), ("/manifest.json",))
_RECORD_FOLDERS = ("trials", "attempts", "tries")
_HOME = re.compile(r"(?:/home/|/Users/|\\+Users\\+)([\w.-]+)")
_TEXT_BYTES = 1 << 28  # up to which a text gets pseudonyms
_LISTED = 30  # files in a message


@dataclass(frozen=True)
class Anonymity:
    """The pseudonyms of an archive, and the search for names that are left."""

    pseudonyms: Pseudonyms
    search: NameSearch


def anonymise(contents: Contents, results: Path) -> Anonymity:
    """Replace names in the files of an archive, all but the derived ones.

    Args:
        contents: the files, which are changed.
        results: the folder results/.

    Raises:
        ResultError: a file of an export differs from its manifest.
    """
    anonymity = _names_of(contents, f"project/{results}/")
    pseudonyms = anonymity.pseudonyms
    changed = Digests()
    before: dict[str, Entry] = {}
    entries: dict[str, Entry] = {}
    for name, entry in contents.entries.items():
        if is_written_by_runs(name, results):
            new = _anonymous(name, entry, pseudonyms)
            if new is not entry:
                changed.add(entry, new)
            name = pseudonyms.in_text(name)
            before[name], entries[name] = entry, replace(new, name=name)
        elif name in (CONFIG, *_CITATIONS):
            entries[name] = _without_names(name, entry, pseudonyms)
        else:
            entries[name] = entry
    for files in _LISTING:  # a manifest has the digest of run_summary.json
        for name in [name for name in before if name.endswith(files)]:
            if (new := changed.corrected(entries[name])) is not entries[name]:
                changed.add(before[name], new)
                entries[name] = new
    contents.entries = entries
    contents.left_out = [_row(row, pseudonyms, changed) for row in contents.left_out]
    contents.moved = [_row(row, pseudonyms, changed) for row in contents.moved]
    return anonymity


def is_written_by_runs(name: str, results: Path) -> bool:
    """Whether programs wrote a file, not the user: it lies in results/ or code/."""
    return name.startswith((f"project/{results}/", "code/")) or _is_metadata(name)


def refuse_names(anonymity: Anonymity, name: str, entries: Iterable[Entry]) -> list[str]:
    """Search all files for names.

    Returns:
        Files and lines with what may name somebody: a given or family name alone, or the host that
        packages came from.

    Args:
        anonymity: the names.
        name: of the archive.
        entries: its files.

    Raises:
        ResultError: a file has one, or can't be searched; all such places are listed.
    """
    search = anonymity.search
    found = {"its name": search.names_in(f"{name}.zip")}
    to_read: list[str] = []
    for entry in entries:
        content = _content(entry)
        found[entry.name] = [*search.names_in(entry.name), *search.places_in(content)]
        if why := reason_by_name(entry.name):
            found[entry.name].append(Place("", f"can't be looked into: {why}"))
        if entry.name.startswith("pipeline/"):
            continue
        if places := [*search.parts_in(content), *hosts_in(entry.name, content)]:
            to_read.append(_listed(entry.name, places))
    lines = [_listed(file, places) for file, places in found.items() if places]
    if lines:
        rest = len(lines) - _LISTED
        more = f"; and {count_of(rest, 'more file')}" if rest > 0 else ""
        raise ResultError(
            f"isn't anonymous, so it wasn't written: {'; '.join(lines[:_LISTED])}{more}; take "
            "these out of the files, or leave the files out: those of archive.include there, media "
            "and artifacts of runs by a lower archive.max_file_mb",
            f"{name}.zip",
        )
    return to_read


def _listed(file: str, places: list[Place]) -> str:
    shown = ", ".join(
        f"{place.where} has {place.what}" if place.where else place.what for place in places
    )
    return f"{file}: {shown}"


def _names_of(contents: Contents, records: str) -> Anonymity:
    """Return the pseudonyms and the search for all names that are known."""
    found: dict[tuple[str, str], Name] = {}
    commits = commits_of(Path())

    def note(kind: str, text: str, source: str) -> None:
        if kind == "commit":
            commits.add(text)
        elif kind not in ("place", "gpu") or text.startswith(("GPU-", "MIG-")):
            for name in known(kind, text, source):
                found.setdefault((name.kind, name.key), name)

    for kind, text, source in own_names(Path()):
        note(kind, text, source)
    common: set[str] = set()
    for name, entry in contents.entries.items():
        if name.startswith("pipeline/"):
            common |= set(re.findall(r"[a-z0-9]+", _text(entry).lower()))
            continue
        for kind, text in _fields(name, entry, records):
            note(kind, text, Path(name).name)
        if name.startswith((records, "code/")):
            for home in set(_HOME.findall(_text(entry))):
                note("folder", f"/home/{home.rstrip('.')}", "a home folder")
    names = list(found.values())
    return Anonymity(Pseudonyms(names, commits, common), NameSearch(names, commits, common))


def _fields(name: str, entry: Entry, records: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and text of each name in the fields of a file."""
    if name in _CITATIONS:
        yield from people_in(_parsed(entry))
    elif name == CONFIG:
        config = _parsed(entry)
        yield from (("entity", text) for text in _entities(config))
    elif _is_metadata(name) or (name.startswith(records) and _is_record(name)):
        yield from named(_json(entry))


def _is_record(name: str) -> bool:
    *folders, file = name.split("/")
    if "artifacts" in folders or "media" in folders:
        return False
    return file in _RECORDS or (file.endswith(".json") and bool({*folders} & {*_RECORD_FOLDERS}))


def _is_metadata(name: str) -> bool:
    return name.endswith("/wandb-metadata.json")


def _anonymous(name: str, entry: Entry, pseudonyms: Pseudonyms) -> Entry:
    """Return a file of a run with pseudonyms; the same entry if it has no name."""
    old = _text(entry)
    text = old
    if _is_record(name) and (value := _json(entry)) is not None:
        other = renamed(value, pseudonyms.of)
        if other != value:
            text = json.dumps(other, indent=2, ensure_ascii=False) + "\n"
    text = pseudonyms.in_text(text)
    if text == old:
        return entry
    if entry.sha256 not in (None, hashlib.sha256(_content(entry)).hexdigest()):
        raise entry.differing()
    return Entry(name, text.encode())


def _without_names(name: str, entry: Entry, pseudonyms: Pseudonyms) -> Entry:
    """Return config.yaml without entities and recipients, or a citation file without people."""
    value = _parsed(entry)
    if name == CONFIG:
        other = _anonymous_config(value, pseudonyms)
    else:
        other = without_people(value, pseudonyms.of)
    if other == value:
        return entry
    if name.endswith(".json"):
        return Entry(name, (json.dumps(other, indent=2, ensure_ascii=False) + "\n").encode())
    return Entry(name, yaml.safe_dump(other, sort_keys=False, allow_unicode=True).encode())


def _anonymous_config(config: dict[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    other = {key: value for key, value in config.items() if key != "notify"}
    if (config.get("wandb") or {}).get("entity"):
        entity = pseudonyms.of("entity", config["wandb"]["entity"])
        other["wandb"] = config["wandb"] | {"entity": entity}
    if projects := (config.get("export") or {}).get("projects"):
        other["export"] = config["export"] | {
            "projects": [
                each | {"project": pseudonyms.in_text(str(each["project"]))}
                if isinstance(each, dict)
                else pseudonyms.in_text(str(each))
                for each in projects
            ]
        }
    return other


def _entities(config: dict[str, Any]) -> Iterator[str]:
    if entity := (config.get("wandb") or {}).get("entity"):
        yield str(entity)
    for each in (config.get("export") or {}).get("projects") or ():
        entity, slash, _ = str(each["project"] if isinstance(each, dict) else each).partition("/")
        if slash:
            yield entity


def _row(
    row: tuple[str, int, str, str], pseudonyms: Pseudonyms, changed: Digests
) -> tuple[str, int, str, str]:
    name, size, sha256, why = row
    new = changed.of_sha256(sha256)
    size, sha256 = (new.bytes, new.sha256) if new else (size, sha256)
    return pseudonyms.in_text(name), size, sha256, pseudonyms.in_text(why)


def _content(entry: Entry) -> bytes:
    if entry.size > MOST_BYTES:
        raise ResultError("is too large to be searched for names; leave it out", entry.name)
    return entry.read()


def _text(entry: Entry) -> str:
    """Return the content of a text file; nothing of another file."""
    if entry.size > _TEXT_BYTES:
        return ""
    try:
        text = _content(entry).decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text


def _json(entry: Entry) -> Any:
    try:
        return json.loads(_text(entry))
    except ValueError:
        return None


def _parsed(entry: Entry) -> dict[str, Any]:
    """Return the content of a YAML or JSON file; an empty one if it isn't an object."""
    try:
        value = yaml.safe_load(_text(entry))
    except yaml.YAMLError:
        return {}
    return value if isinstance(value, dict) else {}
