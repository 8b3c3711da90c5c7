"""Write CITATION.cff from pyproject.toml: `python docs/citation.py`.

Authors, address, licence, keywords and what the project is stand in pyproject.toml alone, the
version in the package. The file has no date: a release is dated by its tag.
"""

import tomllib
from pathlib import Path

import yaml
from release_notes import version_of

ROOT = Path(__file__).parents[1]
_MESSAGE = "Please cite Caduceus by this entry, and the version that made your numbers."


def citation(root: Path) -> str:
    """Return CITATION.cff."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    entry = {
        "cff-version": "1.2.0",
        "message": _MESSAGE,
        "type": "software",
        "title": "Caduceus",
        "abstract": project["description"],
        "authors": [{"name": author["name"]} for author in project["authors"]],
        "version": version_of((root / "scripts/caduceus/__init__.py").read_text()),
        "license": project["license"],
        "repository-code": project["urls"]["Source"],
        "url": project["urls"]["Documentation"],
        "keywords": project["keywords"],
    }
    text: str = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=100)
    return "# Made by docs/citation.py from pyproject.toml.\n" + text


if __name__ == "__main__":
    (ROOT / "CITATION.cff").write_text(citation(ROOT))
