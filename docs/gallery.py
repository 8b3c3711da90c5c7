"""Write docs/gallery.md, and the figures that it shows, from real builds of three projects.

    python docs/gallery.py                  a quarter of an hour on two cores
    python docs/gallery.py --built FOLDER   from projects that were built there, by their names

The texts are the readmes of the projects; tables, figures, verdicts and costs are what was built.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/gallery.md"
PICTURES = ROOT / "docs/assets/gallery"
LARGEST_PICTURE = 100_000  # bytes
# Texts that replace the figures of each project for readers who can't see them.
FIGURES = {
    "char_lm": {"curves": "Validation loss over steps: mean and 95 % interval of three models"},
    "cartpole": {
        "curves": "Return over environment steps: interquartile mean and 95 % interval",
        "differences": "The difference of each lambda to 0.95, with its interval",
    },
    "classifiers": {
        "ranks": "Mean ranks over five datasets; a bar joins those that can't be told apart",
        "differences": "The difference of each classifier to the tree, on digits and on two moons",
    },
}
PACKAGES = {
    "char_lm": ["torch"],
    "cartpole": ["torch", "gymnasium"],
    "classifiers": ["scikit-learn"],
}
SAMPLES = {"char_lm": ("gpt", "bigram")}  # the models of which a sample is shown
HEAD = """# Gallery

Three projects of kinds that you know, each in a folder of its own to copy and change.
Their programs import nothing of Caduceus, and run without it.
All that is shown below was made by the command in its section. `python docs/gallery.py` builds them
and writes this page; a long test builds them and compares the verdicts with it.

In a clone, `pip install --requirement envs/requirements-dev.txt` installs what they need.
"""
COPY = """
To start from one, copy its folder, list your experiments in `config.yaml`, and type
`caduceus plan`. [Run your own program](how_to/own_program.md) starts from yours instead.
"""


def build(name: str, folder: Path) -> Path:
    """Build a copy of a project below a folder, and return the copy."""
    copy = folder / name
    ignored = shutil.ignore_patterns("results", ".snakemake", "__pycache__", "wandb")
    shutil.copytree(ROOT / "experiments" / name, copy, ignore=ignored)
    words = [sys.executable, "-m", "caduceus", "build", "--cores", "2"]
    subprocess.run(words, cwd=copy, check=True)
    return copy


def section(name: str, project: Path) -> Iterator[str]:
    """Yield the parts of a project's section."""
    title, _, text = (ROOT / "experiments" / name / "README.md").read_text().partition("\n\n")
    about, _, _ = text.partition("    caduceus build")
    yield f"## {title.removeprefix('# ')}"
    yield about.strip()
    yield (
        "<!-- not run: tests/workflow/test_gallery_page.py builds it -->\n"
        f"```sh\ncd experiments/{name}\ncaduceus build --cores 2\n```"
    )
    yield cost(name, project)
    for path in sorted((project / "results/paper/tables").glob("*.md")):
        yield path.read_text().strip()
    for figure, description in FIGURES[name].items():
        source = project / f"results/paper/figures/{figure}.svg"
        target = PICTURES / f"{name}-{figure}.svg"
        if source.stat().st_size > LARGEST_PICTURE:
            sys.exit(f"{source} has {source.stat().st_size} bytes: more than {LARGEST_PICTURE}")
        shutil.copyfile(source, target)
        yield f"![{description}](assets/gallery/{target.name})"
    yield verdicts(project)
    yield from samples(name, project)
    files = sorted(
        path.name
        for path in (ROOT / "experiments" / name).iterdir()
        if path.suffix in (".py", ".yaml")
    )
    yield "Its files: " + ", ".join(f"[{f}](../experiments/{name}/{f})" for f in files) + "."


def cost(name: str, project: Path) -> str:
    """Return a sentence on where, when and with what the runs were trained, and what they cost."""
    trains = [json.loads(path.read_text()) for path in project.glob("results/runs/*/train.json")]
    failed = sum(train["state"] != "finished" for train in trains)
    minutes = sum(train["compute"]["cpu_s"] for train in trains) / 60
    first = min(train["attempts"][0]["started_at"] for train in trains)
    machine = trains[0]["attempts"][0]["machine"]["cpu"]
    used = trains[0]["attempts"][0]["usage"]
    versions = ", ".join(
        f"{package} {used['packages'][package]}" for package in (*PACKAGES[name], "wandb")
    )
    return (
        f"{len(trains)} runs, {failed} failed; {minutes:.1f} CPU minutes of training. "
        f"Trained on {str(first)[:10]}, {machine}, Python {used['python']}, {versions}, "
        f"Caduceus {version('caduceus-ml')}."
    )


def verdicts(project: Path) -> str:
    """Return the claims with their verdicts, as a table."""
    claims = json.loads((project / "results/paper/claims.json").read_text())["claims"]
    rows = [
        f"| **{each['verdict']}** | {each['statement']} | {each['reason']} |" for each in claims
    ]
    return "\n".join(["| verdict | claim | why |", "|---|---|---|", *rows])


def samples(name: str, project: Path) -> Iterator[str]:
    """Yield what a run of some models wrote in the end, from the table that it logged."""
    for model in SAMPLES.get(name, ()):
        for path in sorted(project.glob("results/runs/*/run_summary.json")):
            run = json.loads(path.read_text())
            if run["config"]["model"] == model and run["seed"] == 0:
                table = json.loads(next(path.parent.glob("media/table/*.json")).read_text())
                prompt, text = table["data"][0]
                yield f"A sample of `{model}` with seed 0, which begins with `{prompt.strip()}`:"
                yield f"```text\n{re.sub(r'`{3,}', '``', text).strip()}\n```"


def write(projects: dict[str, Path]) -> None:
    """Write the page and its pictures from projects that were built."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    parts = [HEAD.strip(), f"<!-- written by docs/gallery.py on {datetime.now(UTC):%Y-%m-%d} -->"]
    for name, project in projects.items():
        parts += section(name, project)
    PAGE.write_text("\n\n".join([*parts, COPY.strip()]) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--built", type=Path, help="a folder with the projects, built")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(
            {
                name: options.built / name if options.built else build(name, Path(folder))
                for name in FIGURES
            }
        )


if __name__ == "__main__":
    main()
