"""Write docs/dependencies.md: `make licences`.

What is needed, and why, stands in pyproject.toml, a line each. The licence is that of the installed
package's metadata. docs/dependencies.csv keeps it, so that packages that aren't installed have one
too, and a recent release of each with its month, noted by hand: a package's own metadata has no
date.
"""

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Packages under these licences may be imported or run beside code under the MIT licence.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Zlib",
}
_WRITTEN_OTHERWISE = {
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_GROUPS = {
    "dependencies": "The package",
    "dev": "Tests, checks and documentation (`dev`)",
}
_LINE = re.compile(r'^  "(?P<name>[\w.-]+)[^"]*",\s+# (?P<why>.+)$')
_GROUP = re.compile(r"^([\w-]+) = \[")
_HEAD = """# Dependencies

{count} packages, each with the reason why it is here. pyproject.toml has the versions that are
allowed, `envs/` those that were tested together. `make licences` makes this page.

*Release* is the latest that was noted here in {month}, with its month; there may be a later one. A
package without a release for two years is marked `old`. A test holds each licence to a list:
permissive ones, and the Mozilla Public License, whose terms end at the package's own files.
"""


@dataclass(frozen=True)
class Dependency:
    """A line of pyproject.toml."""

    group: str
    name: str
    reason: str


@dataclass(frozen=True)
class Fact:
    """A package's licence (by its SPDX name), its newest version, and the month of that."""

    licence: str
    newest: str
    month: str


def dependencies(pyproject: str) -> list[Dependency]:
    """Return the packages of pyproject.toml with the reason after each."""
    found, group = [], ""
    for line in pyproject.partition("[project.scripts]")[0].splitlines():
        if match := _GROUP.match(line):
            group = match[1]
        elif match := _LINE.match(line):
            found.append(Dependency(group, match["name"], match["why"]))
    return found


def installed_licence(name: str) -> str | None:
    """Return the licence of an installed package as SPDX writes it; None if it isn't installed."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    if expression := about.get("License-Expression"):
        return expression
    for classifier in about.get_all("Classifier", []):
        words = classifier.rpartition(" :: ")[2]
        if classifier.startswith("License ::") and words in _WRITTEN_OTHERWISE:
            return _WRITTEN_OTHERWISE[words]
    words = (about.get("License") or "not said").strip().splitlines()[0]
    return _WRITTEN_OTHERWISE.get(words, words)


def is_allowed(licence: str) -> bool:
    """Whether each part of `A AND B`, and one of `A OR B`, is allowed."""
    parts = re.sub(r"[()]", "", licence).split(" AND ")
    return all(any(one.strip() in ALLOWED for one in part.split(" OR ")) for part in parts)


def read_facts(text: str) -> dict[str, Fact]:
    """Return the facts of dependencies.csv by the package's name."""
    rows = csv.DictReader(StringIO(text))
    return {row["name"]: Fact(row["licence"], row["newest"], row["month"]) for row in rows}


def as_csv(facts: Mapping[str, Fact]) -> str:
    """Return the facts as dependencies.csv."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "licence", "newest", "month"])
    for name in sorted(facts, key=str.lower):
        fact = facts[name]
        writer.writerow([name, fact.licence, fact.newest, fact.month])
    return out.getvalue()


def page(needed: Sequence[Dependency], facts: Mapping[str, Fact]) -> str:
    """Return docs/dependencies.md."""
    latest = max(facts[each.name].month for each in needed)
    names = {each.name for each in needed}
    lines = [_HEAD.format(count=len(names), month=latest)]
    for group in dict.fromkeys(each.group for each in needed):
        title = _GROUPS.get(group, f"For `{group}`")
        lines += [
            f"## {title}",
            "",
            "| package | reason | licence | release |",
            "|---|---|---|---|",
        ]
        for each in needed:
            if each.group == group:
                fact = facts[each.name]
                release = f"{fact.newest}, {fact.month}" + " `old`" * is_old(fact.month, latest)
                lines.append(f"| {each.name} | {each.reason} | {fact.licence} | {release} |")
        lines.append("")
    return "\n".join(lines)


def is_old(month: str, latest: str) -> bool:
    """Whether two years lie between two months such as 2024-07."""
    years, months = (int(latest[:4]) - int(month[:4]), int(latest[5:]) - int(month[5:]))
    return years * 12 + months >= 24


def refreshed(
    needed: Sequence[Dependency], facts: Mapping[str, Fact]
) -> Iterator[tuple[str, Fact]]:
    """Yield the facts of what is needed, with the licences of what is installed.

    Raises:
        KeyError: dependencies.csv lacks a package that isn't installed.
    """
    for name in {each.name for each in needed}:
        licence = installed_licence(name)
        known = facts.get(name) if licence else facts[name]
        newest, month = (known.newest, known.month) if known else (metadata(name)["Version"], "")
        yield name, Fact(licence or facts[name].licence, newest, month)


def main() -> int:
    """Write the page; returns 1 if a package's licence isn't allowed, or its month is missing."""
    needed = dependencies((ROOT / "pyproject.toml").read_text())
    table = ROOT / "docs/dependencies.csv"
    facts = dict(refreshed(needed, read_facts(table.read_text())))
    table.write_text(as_csv(facts))
    wrong = [
        f"{name}: {fact.licence} isn't among the licences that docs/dependencies.py allows"
        for name, fact in facts.items()
        if not is_allowed(fact.licence)
    ]
    wrong += [
        f"{name}: note a release and its month in docs/dependencies.csv"
        for name, fact in facts.items()
        if not fact.month
    ]
    if not wrong:
        (ROOT / "docs/dependencies.md").write_text(page(needed, facts))
    print(*(wrong or ["docs/dependencies.md: every licence is allowed"]), sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
