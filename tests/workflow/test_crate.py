"""The metadata of an archive as a research object crate, held to the profiles by a validator."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from caduceus.paper.archive.crate import CRATE
from caduceus.paper.archive.create import make_archive
from caduceus.project.project import load_project
from projects import REPOSITORY, Project

MADE = ("groups/baseline/runs.csv", "paper/tables/accuracy.md", "paper/figures/curves.pdf")
CITATION = """\
cff-version: 1.2.0
title: A paper
license: MIT
authors:
  - { family-names: Doe, given-names: Jo, affiliation: A university }
"""
_SCHEMA, _BIO = "http://schema.org/", "https://bioschemas.org/"
TERMS = """about actionStatus additionalType affiliation alternateName author contentSize
    CreateAction CreativeWork ComputerLanguage Dataset datePublished description encodingFormat
    endTime error exampleOfWork hasPart identifier instrument license mainEntity mentions name
    object Organization Person programmingLanguage PropertyValue result softwareRequirements
    SoftwareSourceCode startTime url value version agent ControlAction HowTo HowToStep
    OrganizeAction position SoftwareApplication softwareVersion step workExample"""
# In place of the contexts on the web: the terms that a crate of ours may have.
CONTEXT = {term: f"{_SCHEMA}{term}" for term in TERMS.split()} | {
    "File": f"{_SCHEMA}MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
    "ComputationalWorkflow": f"{_BIO}ComputationalWorkflow",
    "FormalParameter": f"{_BIO}FormalParameter",
    "input": f"{_BIO}ComputationalWorkflow#input",
    "output": f"{_BIO}ComputationalWorkflow#output",
}


@pytest.fixture
def unpacked(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive of a trained project with a citation and a folder with a space."""
    finished.write("CITATION.cff", CITATION)
    finished.write("more data/a b.csv", "x\n")
    finished.change("config.yaml", archive={"include": ["more data"]})
    monkeypatch.chdir(finished.path)
    config = yaml.safe_load(Path("config.yaml").read_text())
    project = load_project(config, ["config.yaml"])
    made = [Path("results") / name for name in MADE]
    files = [Path("config.yaml")]
    archive = make_archive(project, config, files, Path("results"), made, REPOSITORY)
    with zipfile.ZipFile(archive.path) as source:
        source.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked/tests"


def entities(folder: Path) -> dict[str, dict[str, Any]]:
    graph = json.loads((folder / CRATE).read_text())["@graph"]
    found = {entity["@id"]: entity for entity in graph}
    assert len(found) == len(graph)
    return found


def test_each_run_is_an_action_of_its_program(finished: Project, unpacked: Path) -> None:
    found = entities(unpacked)
    assert found["./"]["mainEntity"] == {"@id": "Snakefile"}
    assert found["#author-1"]["name"] == "Jo Doe"
    assert "project/more%20data/a%20b.csv" in found
    for run in finished.runs:
        action = found[f"#{run.name}"]
        assert action["instrument"] == {"@id": "project/experiments/train.py"}
        assert action["result"] == {"@id": f"project/results/runs/{run.name}/"}
        values = {found[each["@id"]].get("name"): found[each["@id"]] for each in action["object"]}
        assert {"rate", "width", "seed"} <= values.keys()
        params = json.loads((run / "params.json").read_text())
        assert values["rate"]["value"] == params["parameters"]["rate"]
        assert action["startTime"] <= action["endTime"]
        assert found[f"#{run.name}/step"]["object"] == {"@id": f"#{run.name}"}
    for entity in found.values():
        if entity["@type"] == "File" or "File" in entity["@type"]:
            path = unpacked / entity["@id"].replace("%20", " ")
            assert path.is_file()
            assert entity.get("contentSize", str(path.stat().st_size)) == str(path.stat().st_size)


def test_every_reference_leads_to_an_entity_or_a_page(unpacked: Path) -> None:
    found = entities(unpacked)

    def references(value: Any) -> list[str]:
        if isinstance(value, list):
            return [each for item in value for each in references(item)]
        if isinstance(value, dict):
            return [value["@id"]] if value.keys() == {"@id"} else references([*value.values()])
        return []

    missing = {each for each in references([*found.values()]) if each not in found}
    assert all(each.startswith("https://") for each in missing), missing


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, which the validator uses
def test_a_validator_finds_a_provenance_run_crate(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is a workflow run crate too.

    No page on the web is asked: `answer` is a mock of the two that define terms.
    """
    services = pytest.importorskip("rocrate_validator.services", reason="no roc-validator")
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter
    from rocrate_validator import models
    from urllib3 import HTTPResponse

    def answer(_: HTTPAdapter, request: PreparedRequest, **__: Any) -> Response:
        has_terms = str(request.url).endswith("/context")
        body = json.dumps({"@context": CONTEXT}).encode() if has_terms else b""
        response = Response()
        response.request, response.url = request, str(request.url)
        response.status_code = 200 if has_terms else 404
        response.headers["Content-Type"] = "application/ld+json"
        response.raw = HTTPResponse(
            io.BytesIO(body), response.headers, response.status_code, preload_content=False
        )
        return response

    monkeypatch.setattr(HTTPAdapter, "send", answer)
    settings = models.ValidationSettings(
        rocrate_uri=str(unpacked),
        profile_identifier="provenance-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
        cache_path=tmp_path / "cache",
    )
    result = services.validate(settings)
    assert [issue.message for issue in result.get_issues()] == []
    assert result.passed()

    broken = json.loads((unpacked / CRATE).read_text())
    broken["@graph"] = [each for each in broken["@graph"] if each["@id"] != "#paper"]
    (unpacked / CRATE).write_text(json.dumps(broken))
    assert not services.validate(settings).passed()
