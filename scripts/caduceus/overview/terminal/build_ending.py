"""How a build ended, as a record and as the answer of `caduceus build --json`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from caduceus.errors import CaduceusError, SpecError
from caduceus.io.answers import answer_text, text_of_error
from caduceus.io.files import read_json
from caduceus.overview.terminal.build import Build
from caduceus.overview.terminal.projects import ShownProject
from caduceus.system.foreground import standard_output_as_error
from caduceus.system.snakemake_dry_run import snakemake_error
from caduceus.system.snakemake_process import run_snakemake

State = Literal["done", "nothing to do", "failed", "interrupted"]
_PRINTING = {  # options with which Snakemake prints and builds nothing
    *("-n", "--dry-run", "--dryrun", "--list-rules", "--list-target-rules", "-l", "--summary"),
    *("-S", "--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--lint"),
    *("--list-input-changes", "--list-params-changes", "--list-code-changes", "--help", "-h"),
    *("--version", "-v", "--containerize", "--generate-unit-tests", "--d3dag"),
}


@dataclass(frozen=True)
class Failure:
    """A job or run that failed: its name for a reader, and why, in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim of the paper, which its scale, full or toy, belongs to."""

    name: str
    statement: str
    verdict: str
    scale: str


@dataclass(frozen=True)
class BuildEnding:
    """How a build ended.

    Attributes:
        state: done, nothing to do, failed or interrupted.
        runs: of the runs to train, how many are in each state.
        jobs: how many jobs were planned.
        done: how many of them are done.
        seconds: how long it took.
        failures: what failed.
        tables: the paper's tables that exist, as Markdown.
        claims: the verdicts of the paper, as they stand.
        report: the report, if there is one.
    """

    state: State
    runs: Mapping[str, int]
    jobs: int
    done: int
    seconds: float
    failures: Sequence[Failure]
    tables: Sequence[str]
    claims: Sequence[Verdict]
    report: str | None


def write_ending(
    out: Path,
    state: State,
    build: Build,
    seconds: float,
    failures: Mapping[str, str],
    projects: Sequence[ShownProject],
) -> None:
    """Write how a build ended.

    Args:
        out: the file.
        state: how it ended.
        build: its jobs.
        seconds: how long it took.
        failures: reasons, by the name of the job or run.
        projects: the projects that were built.
    """
    ending = BuildEnding(
        state,
        build.run_states(),
        build.total,
        build.done,
        seconds,
        [Failure(*each) for each in failures.items()],
        [
            path
            for shown in projects
            for table in shown.project.paper.tables
            if Path(path := shown.place(f"results/paper/tables/{table}.md")).exists()
        ],
        [
            verdict
            for shown in projects
            if shown.project.paper.claims
            for verdict in _verdicts(shown.place)
        ],
        next(filter(None, (_report(shown.place) for shown in projects)), None),
    )
    out.write_text(answer_text(vars(ending)))


def build_as_json(arguments: Sequence[str]) -> tuple[int, str]:
    """Run `snakemake ARGUMENTS`; return its exit status and the answer.

    Standard output is the answer's alone: whatever Snakemake prints goes to standard error.

    Raises:
        SpecError: with these arguments, nothing is built.
    """
    if printing := next((word for word in arguments if word in _PRINTING), None):
        raise SpecError("builds nothing, so there is no JSON; see `caduceus plan --json`", printing)
    errors: list[str] = []
    with TemporaryDirectory(prefix="caduceus-build-") as folder:
        out = Path(folder, "ending.json")
        with standard_output_as_error():
            status = run_snakemake(arguments, is_plain=True, errors=errors, ending=out)
        if out.exists():
            return status, out.read_text()
    if status == 0:
        return status, answer_text(vars(_nothing_to_do()))
    default = f"Snakemake ended with exit status {status}; see standard error"
    error: CaduceusError = snakemake_error(errors[-1] if errors else default)
    return status, text_of_error(error)


def _nothing_to_do() -> BuildEnding:
    """Return the ending of a build without jobs; a stamp knows no project, only its files.

    What `paper` shows is in provenance.json: a table that was taken out of it leaves its files.
    """
    path = Path("results/paper/provenance.json")
    shown: dict[str, Any] = read_json(path)["items"] if path.exists() else {}
    files = (f"results/paper/{name}.md" for name in shown if name.startswith("tables/"))
    tables = [file for file in files if Path(file).exists()]
    claims = [each for each in _verdicts(str) if f"claims/{each.name}" in shown]
    return BuildEnding("nothing to do", {}, 0, 0, 0.0, [], tables, claims, _report(str))


def _verdicts(place: Callable[[str], str]) -> Iterator[Verdict]:
    path = Path(place("results/paper/claims.json"))
    found: dict[str, Any] = read_json(path) if path.exists() else {}
    for claim in found.get("claims", ()):
        yield Verdict(claim["name"], claim["statement"], claim["verdict"], claim["scale"])


def _report(place: Callable[[str], str]) -> str | None:
    path = place("results/report/index.html")
    return path if Path(path).exists() else None
