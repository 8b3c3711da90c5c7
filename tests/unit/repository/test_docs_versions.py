"""The documentation's versions: the sites of releases lie below the site, and a page lists them."""

import sys
import zipfile
from pathlib import Path

import yaml
from projects import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "docs"))

from versions import released_sites, unpack_sites, versions_page  # found above


def test_releases_lie_at_their_versions_and_are_listed_newest_first(tmp_path: Path) -> None:
    for version in ("0.2.0", "0.10.0"):
        with zipfile.ZipFile(tmp_path / f"caduceus-docs-{version}.zip", "w") as packed:
            packed.writestr("index.html", version)
            packed.writestr("how_to/index.html", version)
    for other in ("caduceus-docs-1.zip", "caduceus-docs-0.3.0.zip.part", "notes.md"):
        (tmp_path / other).touch()
    released = released_sites(tmp_path)

    unpack_sites(released, tmp_path / "site")
    page = versions_page("0.11.0", released)

    assert list(released) == ["0.10.0", "0.2.0"]
    assert (tmp_path / "site/0.10.0/how_to/index.html").read_text() == "0.10.0"
    assert page.index('href="0.10.0/index.html"') < page.index('href="0.2.0/index.html"')
    assert "version 0.11.0" in page
    assert "href" not in versions_page("0.11.0", [])


def test_a_release_attaches_the_site_that_the_page_of_versions_reads() -> None:
    workflows = REPOSITORY / ".github/workflows"
    release = yaml.safe_load((workflows / "release.yaml").read_text())["jobs"]
    docs = yaml.safe_load((workflows / "docs.yaml").read_text())["jobs"]["build"]["steps"]

    packing = " ".join(step.get("run", "") for step in release["docs"]["steps"])
    attaching = " ".join(step.get("run", "") for step in release["announce"]["steps"])
    reading = " ".join(step.get("run", "") for step in docs)

    assert "caduceus-docs-${GITHUB_REF_NAME#v}.zip" in packing
    for run in (attaching, reading):
        assert "caduceus-docs-*.zip" in run
    assert "RELEASED_DOCS=" in reading and "docs" in release["publish"]["needs"]
