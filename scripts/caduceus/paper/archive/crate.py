"""ro-crate-metadata.json: the archive as a Workflow Run Crate, for catalogues and their programs.

The crate follows RO-Crate 1.1 and the profiles Process Run Crate, Workflow Run Crate 0.5 and
Workflow RO-Crate 1.0; with runs also Provenance Run Crate 0.5. Its workflow is the archive's
Snakefile; one action has made the paper by it, and each run is an action of its program. Runs'
folders are listed as a whole.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import yaml

import caduceus
from caduceus.paper.archive.contents import Contents, Entry
from caduceus.paper.archive.crate_steps import step_entities, with_steps
from caduceus.runs.files.export import Summary
from caduceus.runs.files.params import Params

CRATE = "ro-crate-metadata.json"
_CONTEXT = "https://w3id.org/ro/crate/1.1/context"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_CRATE_1_1 = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    _WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
_PROVENANCE = {"https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5")}
_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_PAPER = "#paper"
_LICENCES = ("project/LICENSE", "project/LICENCE", "project/COPYING")
_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".html": "text/html",
    ".yaml": "application/yaml",
    ".ipynb": "application/x-ipynb+json",
}
_STATUS = {
    "finished": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
}
_COMPLIES = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_UNKNOWN_DATE = "1980-01-01"  # of an archive without runs
Entity = Mapping[str, Any]


@dataclass(frozen=True)
class _Run:
    """A run of the archive: its folder, its program, and its export."""

    folder: str
    params: Params
    summary: Summary

    @property
    def start(self) -> str | None:
        """When it started, as ISO 8601; None if that isn't known."""
        started = self.summary.started_at
        return _time(datetime.fromisoformat(started)) if started else None

    @property
    def end(self) -> str | None:
        """When it ended; None if that isn't known."""
        if self.start is None or self.summary.runtime_s is None:
            return None
        ended = datetime.fromisoformat(self.start) + timedelta(seconds=self.summary.runtime_s)
        return _time(ended)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def crate(contents: Contents, name: str, results: str) -> bytes:
    """Return the content of ro-crate-metadata.json.

    Args:
        contents: all other files of the archive.
        name: the archive's.
        results: the folder results/.
    """
    citation = _citation(contents.entries)
    runs = list(_runs(contents.entries, f"project/{results}/runs/"))
    people = list(_people(citation))
    authors = [each for each in people if each["@type"] == "Person"]
    written = [each for each in contents.entries if each.startswith("project/")]
    written = [each for each in written if not each.startswith(f"project/{results}/")]
    derived = [each for each in contents.entries if each.startswith("derived/")]
    about = [each for each in contents.entries if "/" not in each]
    data = [each for each in contents.entries if each.startswith(f"project/{results}/datasets/")]
    files = [*about, *written, *data, *derived]
    programs = {f"project/{run.params.program}": run.params.code[:12] for run in runs}
    folders = [*(run.folder for run in runs), "pipeline/"]
    folders += ["code/"] if any(each.startswith("code/") for each in contents.entries) else []
    profiles = _PROFILES | (_PROVENANCE if runs else {})
    actions = {f"#{run.summary.run_id}": _address(f"project/{run.params.program}") for run in runs}
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": str(citation.get("title") or name),
        "description": "Everything that a paper's numbers were made from, and a workflow that "
        "makes tables, figures and verdicts again.",
        "datePublished": max((run.start or "" for run in runs), default="")[:10] or _UNKNOWN_DATE,
        "conformsTo": _references(profiles),
        "mainEntity": {"@id": "Snakefile"},
        "hasPart": _references(map(_address, [*files, *folders])),
        "mentions": _references([_PAPER, *actions]),
    }
    licences = list(_licence(contents.entries, citation))
    if licences:
        root["license"] = {"@id": licences[0]["@id"]}
    if authors:
        root["author"] = _references(author["@id"] for author in authors)
    graph: list[Entity] = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _references([_CRATE_1_1, _WORKFLOW_CRATE]),
        },
        root,
        *people,
        *(each for each in licences if "name" in each),
        *_profiles(profiles),
        with_steps(_workflow(root, written), [*dict.fromkeys(actions.values())]),
        _language(),
        *(_parameter(kind) for kind in ("project", "derived")),
        *(
            _file(contents.entries[each], programs.get(each))
            for each in files
            if each != "Snakefile"
        ),
        *_folders(runs, folders),
        _paper(runs, written, derived, authors),
        *(entity for run in runs for entity in _action(run, contents.entries, results, authors)),
        *step_entities(actions, _PAPER),
    ]
    content = {"@context": [_CONTEXT, _TERMS], "@graph": graph}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _address(name: str) -> str:
    return quote(name, safe="/")


def _references(ids: Iterable[str]) -> Any:
    """Return references to entities; a single one isn't in a list."""
    listed = [{"@id": each} for each in ids]
    return listed[0] if len(listed) == 1 else listed


def _citation(entries: Mapping[str, Entry]) -> dict[str, Any]:
    entry = entries.get("project/CITATION.cff")
    try:
        value = yaml.safe_load(entry.read()) if entry else None
    except yaml.YAMLError:
        value = None
    return value if isinstance(value, dict) else {}


def _people(citation: Mapping[str, Any]) -> Iterator[Entity]:
    """Yield each author of the citation, and after it the organization that it belongs to."""
    listed = citation.get("authors")
    for number, person in enumerate(listed if isinstance(listed, list) else [], 1):
        names = (str(person.get(key) or "") for key in ("given-names", "family-names"))
        name = str(person.get("name") or " ".join(names).strip() or f"author {number}")
        identifier = str(person.get("orcid") or f"#author-{number}")
        found: dict[str, Any] = {"@id": identifier, "@type": "Person", "name": name}
        if person.get("affiliation"):
            place = f"#organization-{number}"
            yield found | {"affiliation": {"@id": place}}
            yield {"@id": place, "@type": "Organization", "name": str(person["affiliation"])}
        else:
            yield found


def _licence(entries: Mapping[str, Entry], citation: Mapping[str, Any]) -> Iterator[Entity]:
    """Yield the licence: the one that the citation names, or the project's file."""
    if isinstance(citation.get("license"), str):
        name = citation["license"]
        about = f"The licence {name}, by its identifier of SPDX."
        address = f"https://spdx.org/licenses/{name}"
        yield {"@id": address, "@type": "CreativeWork", "name": name, "description": about}
    elif path := next((each for each in _LICENCES if each in entries), None):
        yield {"@id": path}


def _profiles(profiles: Mapping[str, tuple[str, str]]) -> Iterator[Entity]:
    for address, (name, number) in profiles.items():
        yield {"@id": address, "@type": "CreativeWork", "name": name, "version": number}


def _workflow(root: Entity, written: Sequence[str]) -> Entity:
    return {
        "@id": "Snakefile",
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": f"The workflow of {root['name']}",
        "description": "Makes the paper from the runs, and trains runs that are missing.",
        "conformsTo": {"@id": _COMPLIES},
        "encodingFormat": "text/plain",
        "programmingLanguage": {"@id": _LANGUAGE},
        "softwareRequirements": {"@id": "environment.txt"},
        "version": caduceus.__version__,
        "input": {"@id": "#parameter-project"},
        "output": {"@id": "#parameter-derived"},
        "hasPart": _references(_address(each) for each in written if each.endswith(".py")),
        **{key: root[key] for key in ("author", "license") if key in root},
    }


def _language() -> Entity:
    return {
        "@id": _LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "alternateName": "SMK",
        "identifier": {"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        "url": {"@id": "https://snakemake.readthedocs.io"},
        "version": f"{version('snakemake')}, with Caduceus {caduceus.__version__}",
    }


def _parameter(kind: str) -> Entity:
    return {
        "@id": f"#parameter-{kind}",
        "@type": "FormalParameter",
        "additionalType": "File",
        "conformsTo": {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"},
        "name": kind,
    }


def _file(entry: Entry, code: str | None) -> Entity:
    """Describe a file; of a program that ran, `code` is the digest of its code."""
    suffix = entry.name[entry.name.rfind(".") :] if "." in entry.name else ""
    found: dict[str, Any] = {
        "@id": _address(entry.name),
        "@type": ["File", "SoftwareSourceCode"] if code else "File",
        "name": entry.name,
        "contentSize": str(entry.size),
        "encodingFormat": _TYPES.get(suffix, "text/plain"),
    }
    if code:
        found["version"] = code
    if kind := _kind(entry.name):
        found["exampleOfWork"] = {"@id": f"#parameter-{kind}"}
    return found


def _kind(name: str) -> str:
    """Return the parameter of the workflow that a file is a value of; empty if there is none."""
    if name == "project/config.yaml":
        return "project"
    return "derived" if name.startswith("derived/") else ""


def _folders(runs: Sequence[_Run], folders: Sequence[str]) -> Iterator[Entity]:
    names = {run.folder: f"The export of {run.summary.name}" for run in runs}
    names |= {"pipeline/": "Caduceus, which made the archive", "code/": "The code that ran"}
    for folder in folders:
        yield {"@id": _address(folder), "@type": "Dataset", "name": names[folder]}


def _paper(
    runs: Sequence[_Run], written: Sequence[str], derived: Sequence[str], authors: Sequence[Entity]
) -> Entity:
    """Describe how the paper was made by the workflow."""
    times = {
        "startTime": min((run.start for run in runs if run.start), default=None),
        "endTime": max((run.end for run in runs if run.end), default=None),
    }
    return {
        "@id": _PAPER,
        "@type": "CreateAction",
        "name": "Making the paper",
        "description": "Made tables, figures, verdicts and the report from the runs.",
        "instrument": {"@id": "Snakefile"},
        "actionStatus": _STATUS["finished"],
        "object": _references(map(_address, written)),
        "result": _references(map(_address, derived)),
        **{key: value for key, value in times.items() if value},
        **_agent(authors),
    }


def _agent(authors: Sequence[Entity]) -> dict[str, Any]:
    return {"agent": {"@id": authors[0]["@id"]}} if authors else {}


def _runs(entries: Mapping[str, Entry], prefix: str) -> Iterator[_Run]:
    """Yield the runs whose program, parameters and export are in the archive."""
    for name, entry in entries.items():
        folder, _, file = name.rpartition("/")
        params = entries.get(f"{folder}/params.json")
        if file != "run_summary.json" or not name.startswith(prefix) or params is None:
            continue
        known = Params.from_json(json.loads(params.read()))
        if f"project/{known.program}" in entries and folder.count("/") == prefix.count("/"):
            yield _Run(f"{folder}/", known, Summary.from_json(json.loads(entry.read())))


def _action(
    run: _Run, entries: Mapping[str, Entry], results: str, authors: Sequence[Entity]
) -> Iterator[Entity]:
    """Describe a run: its parameters, data and program, and the folder of its export."""
    own = run.summary.run_id
    values = {**run.params.parameters, "seed": run.params.seed}
    parameters = [
        {
            "@id": f"#{own}/{_address(name)}",
            "@type": "PropertyValue",
            "name": name,
            "value": value if isinstance(value, int | float | str) else json.dumps(value),
        }
        for name, value in values.items()
    ]
    data = str(run.summary.config.get("dataset") or "")
    record = f"project/{results}/datasets/{data}/dataset.json"
    has_failed = run.summary.state == "failed"
    used = [_address(record)] if record in entries else []
    yield {
        "@id": f"#{own}",
        "@type": "CreateAction",
        "name": run.summary.name,
        "description": f"Run {own} of experiment {run.summary.experiment}, {run.summary.state}.",
        "instrument": {"@id": _address(f"project/{run.params.program}")},
        "object": _references([*(str(each["@id"]) for each in parameters), *used]),
        "result": {"@id": _address(run.folder)},
        "actionStatus": _STATUS["failed" if has_failed else "finished"],
        **({"startTime": run.start} if run.start else {}),
        **({"endTime": run.end} if run.end else {}),
        **({"error": "the program failed; train.json says how"} if has_failed else {}),
        **_agent(authors),
    }
    yield from parameters
