"""The people in CITATION.cff and .zenodo.json."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Lists of people and organizations, and keys that lead to them or to the project's pages.
_PEOPLE = ("authors", "contact", "creators", "contributors", "editors", "recipients")
_PAGES = (
    *("repository", "repository-code", "repository-artifact", "url", "doi", "identifiers"),
    *("related_identifiers", "commit", "grants", "communities", "preferred-citation"),
)
_ORGANIZATIONS = ("affiliation", "location", "address")
_NUMBERS = ("orcid", "website", "gnd", "tel", "fax")


def people_in(citation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the kind and text of each name that a citation file has."""
    for person in _people(citation):
        if name := _name_of(person):
            is_person = _is_person(person)
            yield "author" if is_person else "organization", name
        for key in _ORGANIZATIONS:
            yield from (("organization", text) for text in _texts(person.get(key)))
        for key in _NUMBERS:
            for text in _texts(person.get(key)):
                yield "organization", text.rstrip("/").rpartition("/")[2]
        yield from (("email", text) for text in _texts(person.get("email")))
        yield from (("user", text) for text in _texts(person.get("alias")))
    for key in ("repository", "repository-code", "repository-artifact"):
        yield from (("remote", text) for text in _texts(citation.get(key)))


def without_people(citation: Mapping[str, Any], instead: Callable[[str, str], str]) -> Any:
    """Return a citation file with pseudonyms, without addresses and without the project's pages.

    Args:
        citation: the file's content.
        instead: called with the kind and text of a name, returns the pseudonym.
    """
    return {
        key: [{"name": instead("author", _name_of(person))} for person in _listed(value)]
        if key in _PEOPLE
        else value
        for key, value in citation.items()
        if key not in _PAGES
    }


def _people(citation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in _PEOPLE:
        yield from _listed(citation.get(key))
    preferred = citation.get("preferred-citation")
    if isinstance(preferred, Mapping):
        yield from _people(preferred)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    listed = value if isinstance(value, list) else []
    return [person for person in listed if isinstance(person, Mapping)]


def _is_person(person: Mapping[str, Any]) -> bool:
    return any(key in person for key in ("family-names", "given-names", "affiliation", "orcid"))


def _name_of(person: Mapping[str, Any]) -> str:
    """Return a name with the given names first; Zenodo has the family's first, before a comma."""
    if "name" in person:
        family, comma, given = str(person["name"]).partition(",")
        return f"{given} {family}".strip() if comma else family.strip()
    parts = ("given-names", "name-particle", "family-names")
    name = " ".join(str(person[key]) for key in parts if person.get(key))
    return name or str(person.get("alias") or person.get("email") or "")


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and value else []
