"""Say how a build ended: the results or the failures, and the next command to type."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from caduceus.io.files import read_json
from caduceus.io.phrases import listed
from caduceus.overview.terminal.projects import ShownProject
from caduceus.paper.claim_formats import claim_lines
from caduceus.system.own_programs import build_words

_SHOWN = 3  # paths of figures


def success_lines(shown: ShownProject) -> Iterator[str]:
    """Yield the tables, the verdicts, the paths of figures and the report, the next command."""
    project, place = shown.project, shown.place
    for table in project.paper.tables:
        path = Path(place(f"results/paper/tables/{table}.md"))
        if path.exists():
            yield f"\n{path.read_text()}"
    claims = Path(place("results/paper/claims.json"))
    if project.paper.claims and claims.exists():
        yield from claim_lines(read_json(claims))
    drawn = [place(f"results/paper/figures/{name}.pdf") for name in project.paper.figures]
    if figures := [path for path in drawn if Path(path).exists()]:
        yield f"figures: {listed(figures, _SHOWN)}"
    yield from report_lines(place)
    if not (project.paper.tables or project.paper.figures or project.paper.claims):
        yield "no table yet: list one under `paper`, of a metric that the report shows"
    if project.settings.export.is_remote:
        return
    starts = f"{build_words()} --cores 1"
    archives = f"`{starts} {shown.rule('archive')}` packs all for Zenodo"
    if project.settings.wandb.mode == "offline":
        yield f"next: `{starts} {shown.rule('sync')}` sends the runs to W&B, {archives}"
    else:
        yield f"next: {archives}"


def report_lines(place: Callable[[str], str]) -> Iterator[str]:
    """Yield the path of the report, if there is one."""
    report = place("results/report/index.html")
    if Path(report).exists():
        yield f"report: {report}"


def failure_lines(failures: Mapping[str, str], has_failed_runs: bool) -> Iterator[str]:
    """Yield the failures of a build, each with its reason, and what to do.

    Args:
        failures: reasons, by the name of the job or run; empty if they were listed already.
        has_failed_runs: whether runs failed for good.
    """
    for name, reason in failures.items():
        yield f"failed: {name}: {reason}"
    retry = ", type `caduceus retry`," if has_failed_runs else ""
    yield f"next: mend what the lines above name{retry} and start again by the same command"


def interruption_line(were_training: bool) -> str:
    """Return what to do after Ctrl-C or SIGTERM, which may have ended runs."""
    runs = "; a run goes on from its last checkpoint, if it saved one" if were_training else ""
    return f"interrupted; next: the same command goes on where this one stopped{runs}"
