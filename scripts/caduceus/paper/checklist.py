"""Fill in the NeurIPS paper checklist as far as the data answer it; the author does the rest.

The items are those of 2025 (neurips.cc/public/guides/PaperChecklist), in our own words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.io.markdown import markdown_text
from caduceus.io.phrases import count_of, listed
from caduceus.paper.labels import parameter_text
from caduceus.paper.verdict_names import TEST_NAMES, verdict_text
from caduceus.runs.files.plan import Plan, SweepSpec

_NAMED = 3  # files in a line
# The verdicts of claims, and the marks of a table's cells, where no result could have decided.
_NO_VERDICTS = ("not enough runs", "not enough items", "no verdict")
_NO_MARKS = ("undecided", "untested")
YES, NO, TODO = r"\answerYes{}", r"\answerNo{}", r"\answerTODO{}"
_UNANSWERED = {
    3: ("Theory assumptions and proofs", "Does each theorem have its assumptions and a proof?"),
    9: ("Code of ethics", "Does the research conform with the NeurIPS Code of Ethics?"),
    10: ("Broader impacts", "Are positive and negative effects on society discussed?"),
    11: ("Safeguards", "Are there safeguards for releasing what could be misused?"),
    12: ("Licenses for existing assets", "Are used assets credited, with their licences?"),
    13: ("New assets", "Are released assets documented?"),
    14: (
        "Crowdsourcing and research with human subjects",
        "Are the participants' instructions and pay reported?",
    ),
    15: (
        "Institutional review board (IRB) approvals or equivalent for research with human subjects",
        "Are the participants' risks disclosed, and was the study approved?",
    ),
    16: ("Declaration of LLM usage", "Are LLMs described where the methods use them?"),
}


@dataclass(frozen=True)
class ChecklistData:
    """The contents of the JSON files that answer the checklist.

    Attributes:
        plans: results/experiments/ID.json of the experiments in config.yaml, by path.
        datasets: dataset.json of each dataset, by path.
        tables: NAME.json of each table, by path.
        claims: claims.json, or None.
        compute: compute.json.
        provenance: provenance.json.
        remote: the address of the git repository, or None.
        folder: the path of results/paper.
    """

    plans: Mapping[str, Plan]
    datasets: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, Mapping[str, Any]]
    claims: Mapping[str, Any] | None
    compute: Mapping[str, Any]
    provenance: Mapping[str, Any]
    remote: str | None
    folder: str


@dataclass(frozen=True)
class Item:
    """An item of the checklist.

    Attributes:
        title: as in the checklist.
        question: in our words.
        answer: `YES`, `NO` or `TODO`.
        lines: what the data say, in Markdown.
        evidence: the paths of the files that say it.
        todo: what is left to the author.
    """

    title: str
    question: str
    answer: str
    lines: Sequence[str] = ()
    evidence: Sequence[str] = ()
    todo: str = "answer and justify it"


def fill_checklist(data: ChecklistData) -> str:
    """Return the content of checklist.md."""
    items = {
        1: _claims(data),
        2: _limitations(data),
        4: _reproducibility(data),
        5: _access(data),
        6: _setting(data),
        7: _significance(data),
        8: _resources(data),
    }
    items |= {number: Item(*words, TODO) for number, words in _UNANSWERED.items()}
    items[12] = _assets(data, items[12])
    answered = [str(number) for number in sorted(items) if items[number].answer != TODO]
    left = [str(number) for number in sorted(items) if items[number].answer == TODO]
    parts = [
        "# NeurIPS paper checklist",
        f"Answered from the data: {', '.join(answered) or 'none'}. TODO for the author: "
        f"{', '.join(left)}. The text of the paper isn't read: check each answer against it, and "
        "name the section.",
        *("\n\n".join(_shown(number, items[number])) for number in sorted(items)),
    ]
    return "\n\n".join(parts) + "\n"


def _shown(number: int, item: Item) -> Iterator[str]:
    yield f"## {number}. {item.title}"
    yield f"*{item.question}*"
    yield f"Answer: `{item.answer}`"
    if item.lines:
        yield "\n".join(item.lines)
    if item.evidence:
        yield "Evidence: " + ", ".join(f"`{path}`" for path in item.evidence)
    if item.todo:
        yield f"TODO for the author: {item.todo}."


def _claims(data: ChecklistData) -> Item:
    title, question = "Claims", "Do abstract and introduction claim what the paper shows?"
    claims = data.claims["claims"] if data.claims else []
    if not claims:
        left = (
            "answer it, or state claims under `paper.claims` in config.yaml, to be decided by data"
        )
        return Item(title, question, TODO, todo=left)
    found = Counter(map(verdict_text, claims))
    answer = NO if found["refuted"] else YES if found["supported"] == len(claims) else TODO
    lines = [f"- {verdict_text(claim)}: {markdown_text(claim['statement'])}" for claim in claims]
    left = "check that the paper claims no more than this"
    if answer != YES:
        left = "drop, weaken or fix the claims that aren't supported"
    return Item(title, question, answer, lines, [f"{data.folder}/claims.md"], left)


def _limitations(data: ChecklistData) -> Item:
    datasets = [str(record["name"]) for record in data.datasets.values()]
    lines = [f"- Datasets: {', '.join(datasets) or 'none declared'}."]
    for claim in data.claims["claims"] if data.claims else ():
        if (verdict := verdict_text(claim)) != "supported":
            lines.append(f"- {verdict.capitalize()}: {markdown_text(claim['statement'])}")
    failed = data.compute.get("parts", {}).get("failed")
    if failed:
        lines.append(f"- Attempts that failed or didn't finish: {failed['attempts']}.")
    runs = data.provenance["runs"].values()
    if changed := sum("changed_parameters" in about for about in runs):
        lines.append(
            f"- Runs whose program reported other parameters than planned: {changed}; "
            "provenance.json has both values."
        )
    if dropped := [about["dropped_rows"] for about in runs if "dropped_rows" in about]:
        lines.append(
            f"- Rows that W&B dropped, as their step went back: {sum(d['rows'] for d in dropped)} "
            f"in {count_of(len(dropped), 'run')}."
        )
    question = "Are the limitations and assumptions of the work discussed?"
    return Item(
        "Limitations", question, TODO, lines, todo="discuss these, and what data can't show"
    )


def _reproducibility(data: ChecklistData) -> Item:
    runs = data.provenance["runs"]
    title = "Experimental result reproducibility"
    question = "Does the paper say everything that is needed to reproduce its main results?"
    if error := data.provenance.get("error"):
        return Item(title, question, TODO, [f"- Failed: {markdown_text(error)}"])
    commits = Counter(about["commit"] for about in runs.values())
    lines = [
        f"- The numbers shown come from {count_of(len(runs), 'run')}. Each has a definition "
        "(program, command, parameters, seed, dataset, digest of the code) and a snapshot of its "
        "code, which is a W&B artifact of the run too.",
        "- `snakemake --cores N paper` trains missing runs and makes every table, figure and "
        "verdict; provenance.json lists the runs and the command behind each number.",
        f"- Commits: {', '.join(_commit(c, n) for c, n in commits.items()) or 'none'}. "
        f"Environments: {len(data.provenance['environments'])}, by their lists of packages.",
    ]
    dirty = sum(about["is_dirty"] is True for about in runs.values())
    if dirty:
        lines.append(
            f"- Runs with uncommitted changes: {dirty}. Their snapshots have the code that is "
            "counted, their commits don't."
        )
    beyond = [about["beyond_code"] for about in runs.values() if about.get("beyond_code")]
    if beyond:
        files = sorted({name for names in beyond for name in names})
        lines.append(
            f"- Runs that used more than the code that is counted: {len(beyond)} "
            f"({listed(files, _NAMED)}). Their snapshots lack these files; an archive has those "
            "that haven't changed since, and lists the others in left_out.csv."
        )
    unknown = [run for run, about in runs.items() if about["attempt"] is None]
    if unknown:
        lines.append(
            f"- Remote runs: {len(unknown)}. Their code and packages aren't recorded here."
        )
    return Item(
        title,
        question,
        TODO if unknown or beyond or not runs else YES,
        lines,
        [f"{data.folder}/provenance.json", *data.plans],
        "; ".join(
            [
                *(["say how the remote runs can be reproduced"] if unknown else []),
                *(["add the files beyond the code under `code:`"] if beyond else []),
            ]
        ),
    )


def _access(data: ChecklistData) -> Item:
    lines = [f"- Repository: {data.remote or 'no remote `origin`'}"]
    for record in data.datasets.values():
        version = f"version {record['version']}, " if record.get("version") else ""
        lines.append(
            f"- Dataset {markdown_text(record['name'])}: {version}sha256 {record['sha256']}"
        )
    lines.append(
        "- `snakemake --cores 1 archive` makes one zip of experiments, code, packages, exports and "
        "the paper; `caduceus check-archive` checks it."
    )
    return Item(
        "Open access to data and code",
        "Are data and code available, with instructions to run them?",
        TODO,
        lines,
        [*data.datasets],
        "give the public addresses of archive, data and code; anonymized in a submission",
    )


def _setting(data: ChecklistData) -> Item:
    lines = []
    for plan in data.plans.values():
        spec = plan.spec
        lines.append(f"- {spec.id}: {spec.program}, {count_of(len(plan.runs), 'run')}")
        details = {
            "dataset": spec.dataset and spec.dataset.name,
            "parameters": _pairs(spec.parameters),
            "varied": _pairs(spec.lists) or ", ".join([*spec.methods, *spec.variants]),
            "chosen by": spec.sweep and f"a sweep ({_method(spec.sweep)})",
            "seeds": listed([*map(str, plan.seeds)], 12),
        }
        lines += [
            f"  - {name}: {markdown_text(str(value))}" for name, value in details.items() if value
        ]
    return Item(
        "Experimental setting/details",
        "Does the paper give the settings that are needed to understand the results?",
        YES,
        lines,
        [*data.plans],
        "name the data splits, and say how parameters were chosen where no sweep chose them",
    )


def _method(sweep: SweepSpec) -> str:
    return "its file" if isinstance(sweep.config, str) else str(sweep.config["method"])


def _significance(data: ChecklistData) -> Item:
    title = "Experiment statistical significance"
    question = "Are there error bars or significance tests?"
    rows = [row for table in data.tables.values() for row in table["rows"]]
    cells = [cell for row in rows for cell in row["cells"].values()]
    without = sum(cell["low"] is None for cell in cells)
    lines = []
    if cells:
        least, most = (choose(cell["n"] for cell in cells) for choose in (min, max))
        runs = count_of(most, "run") if least == most else f"{least} to {most} runs"
        methods = dict.fromkeys(cell["method"] for cell in cells if cell["low"] is not None)
        lines.append(f"- Tables: {runs} in a cell, one for each seed; {'; '.join(methods)}.")
    if without:
        lines.append(
            f"- Cells without an interval, of a single run or of seeds that agree: {without}."
        )
    if data.claims:
        claims = data.claims
        others = sum(claim.get("by", "seed") != "seed" for claim in claims["claims"])
        by_items = f"; {others} of them over test items" if others else ""
        lines.append(
            f"- Claims: {TEST_NAMES[claims['test']]}, at {claims['alpha']:g} for all claims "
            f"together (Holm){by_items}."
        )
    has_intervals = bool(cells) and not without
    claimed = data.claims["claims"] if data.claims else []
    could = [claim["verdict"] not in _NO_VERDICTS for claim in claimed]
    marks = [cell.get("verdict") for cell in cells]
    could += [mark not in _NO_MARKS for mark in marks if mark not in (None, "best")]
    is_decided = not could or any(could)
    if not is_decided:
        lines.append("- No comparison could be decided, however large the difference.")
    paths = [*data.tables, *[f"{data.folder}/claims.json"] * bool(data.claims)]
    left = "say what differs between seeds (initialization, order, split)"
    if not has_intervals:
        left += "; run more seeds where intervals are missing"
    if not is_decided:
        left += "; run as many seeds as the notes say, or claim no difference"
    answer = YES if has_intervals and is_decided else TODO
    return Item(title, question, answer, lines, paths, left)


def _resources(data: ChecklistData) -> Item:
    compute = data.compute
    title = "Experiments compute resources"
    question = "Are compute workers, memory and time reported for each run and in total?"
    if error := compute.get("error"):
        return Item(title, question, TODO, [f"- Failed: {markdown_text(error)}"])
    known = all(machine["cpu"] for machine in compute["machines"])
    lines = [
        f"- {name}: {count_of(row['runs'], 'run')}, {_hours(row)}"
        for name, row in [*compute["parts"].items(), ("total", compute["total"])]
    ]
    lines.append(r"- The paragraph for the paper: `\input{" + f"{data.folder}/compute" + "}`.")
    left = "say whether these hosts are your own, a cluster's or a cloud's"
    if not known:
        left += "; describe the hosts that aren't recorded"
    answer = YES if known and compute["total"]["runs"] else TODO
    files = [f"{data.folder}/{name}" for name in ("compute.tex", "compute.csv", "attempts.csv")]
    return Item(title, question, answer, lines, files, left)


def _assets(data: ChecklistData, item: Item) -> Item:
    lines = [f"- Dataset {markdown_text(record['name'])}" for record in data.datasets.values()]
    paths = [*data.provenance["environments"].values()]
    if paths:
        lines.append("- The files below list the packages that runs used.")
    return Item(item.title, item.question, TODO, lines, paths, "cite each asset with its licence")


def _commit(commit: str | None, runs: int) -> str:
    return f"{commit[:12] if commit else 'none known'} ({count_of(runs, 'run')})"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={parameter_text(value)}" for name, value in values.items())


def _hours(row: Mapping[str, Any]) -> str:
    """Format the hours of a row of compute.json, as far as they are known."""
    known = [("GPU", row["gpu_hours"]), ("CPU", row["cpu_hours"]), ("wall", row["wall_hours"])]
    hours = ", ".join(f"{hours:.3g} {what} hours" for what, hours in known if hours)
    return f"{hours} (summed over attempts)" if row["attempts"] > 1 and hours else hours
