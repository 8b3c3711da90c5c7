"""checklist.md: what the data answer of the NeurIPS paper checklist; the rest is the author's.

The items are those of 2025 (neurips.cc/public/guides/PaperChecklist), in our own words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.io.phrases import count_of
from caduceus.paper.labels import parameter_text
from caduceus.paper.verdict_names import TEST_NAMES
from caduceus.runs.files.plan import Plan, SweepSpec

YES, NO, TODO = r"\answerYes{}", r"\answerNo{}", r"\answerTODO{}"
_OPEN = {
    3: ("Theory assumptions and proofs", "Has each theorem its assumptions and a proof?"),
    9: ("Code of ethics", "Does the research conform with the NeurIPS Code of Ethics?"),
    10: ("Broader impacts", "Are good and bad effects on society discussed?"),
    11: ("Safeguards", "Is what could be misused released with care?"),
    12: ("Licenses for existing assets", "Are the makers of what was used credited, its licences?"),
    13: ("New assets", "Is what is released documented?"),
    14: (
        "Crowdsourcing and research with human subjects",
        "Are the instructions to participants and their pay given?",
    ),
    15: (
        "Institutional review board (IRB) approvals or equivalent for research with human subjects",
        "Are risks to participants told, and was the study approved?",
    ),
    16: ("Declaration of LLM usage", "Are LLMs described that are a part of the methods?"),
}


@dataclass(frozen=True)
class Evidence:
    """What was made of the paper so far, as its JSON files hold it.

    Attributes:
        plans: of the experiments that config.yaml lists, by the path of each.
        datasets: dataset.json of each, by path.
        tables: NAME.json of each, by path.
        claims: claims.json, or None.
        compute: compute.json.
        provenance: provenance.json.
        remote: the address of the git repository, or None.
        folder: results/paper, as paths have it.
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
    """An item of the checklist: what is said to it, and where that stands.

    `open` says what is left to the author.
    """

    title: str
    question: str
    answer: str
    said: Sequence[str] = ()
    evidence: Sequence[str] = ()
    open: str = "answer and justify it"


def fill_checklist(evidence: Evidence) -> str:
    """The content of checklist.md."""
    items = {
        1: _claims(evidence),
        2: _limitations(evidence),
        4: _reproducibility(evidence),
        5: _access(evidence),
        6: _setting(evidence),
        7: _significance(evidence),
        8: _resources(evidence),
    }
    items |= {number: Item(*words, TODO) for number, words in _OPEN.items()}
    items[12] = _assets(evidence, items[12])
    answered = [str(number) for number in sorted(items) if items[number].answer != TODO]
    left = [str(number) for number in sorted(items) if items[number].answer == TODO]
    parts = [
        "# NeurIPS paper checklist",
        f"Answered from the data: {', '.join(answered) or 'none'}. TODO for the author: "
        f"{', '.join(left)}. The data can't know what the paper says: read each answer against it, "
        "and add the section that it stands in.",
        *("\n\n".join(_shown(number, items[number])) for number in sorted(items)),
    ]
    return "\n\n".join(parts) + "\n"


def _shown(number: int, item: Item) -> Iterator[str]:
    yield f"## {number}. {item.title}"
    yield f"*{item.question}*"
    yield f"Answer: `{item.answer}`"
    if item.said:
        yield "\n".join(item.said)
    if item.evidence:
        yield "Evidence: " + ", ".join(f"`{path}`" for path in item.evidence)
    if item.open:
        yield f"TODO for the author: {item.open}."


def _claims(evidence: Evidence) -> Item:
    title, question = "Claims", "Do abstract and introduction claim what the paper shows?"
    claims = evidence.claims["claims"] if evidence.claims else []
    if not claims:
        left = "answer it; `paper.claims` in config.yaml would have the data decide the claims"
        return Item(title, question, TODO, open=left)
    found = Counter(claim["verdict"] for claim in claims)
    answer = NO if found["refuted"] else YES if found["supported"] == len(claims) else TODO
    said = [f"- {claim['verdict']}: {_line(claim['statement'])}" for claim in claims]
    left = "see that the paper claims no more than this"
    if answer != YES:
        left = "drop, weaken or mend the claims that aren't supported"
    return Item(title, question, answer, said, [f"{evidence.folder}/claims.md"], left)


def _limitations(evidence: Evidence) -> Item:
    datasets = [str(record["name"]) for record in evidence.datasets.values()]
    said = [f"- Datasets: {', '.join(datasets) or 'none declared'}."]
    for claim in evidence.claims["claims"] if evidence.claims else ():
        if claim["verdict"] != "supported":
            said.append(f"- {claim['verdict'].capitalize()}: {_line(claim['statement'])}")
    failed = evidence.compute["parts"].get("failed")
    if failed:
        said.append(f"- Attempts that failed or didn't finish: {failed['attempts']}.")
    question = "Are the limits of the work discussed, and what it takes for granted?"
    return Item("Limitations", question, TODO, said, open="discuss these, and what data can't show")


def _reproducibility(evidence: Evidence) -> Item:
    runs = evidence.provenance["runs"]
    commits = Counter(about["commit"] for about in runs.values())
    said = [
        f"- The numbers shown come from {count_of(len(runs), 'run')}. Each is a definition "
        "(program, command, parameters, seed, dataset, digest of the code) with a snapshot of its "
        "code, which the run logs as an artifact too.",
        "- `snakemake --cores N paper` trains what is missing and makes every table, figure and "
        "verdict; provenance.json has, for each number, its runs and the command.",
        f"- Commits: {', '.join(_commit(c, n) for c, n in commits.items()) or 'none'}. "
        f"Environments: {len(evidence.provenance['environments'])}, by their lists of packages.",
    ]
    dirty = sum(about["is_dirty"] is True for about in runs.values())
    if dirty:
        said.append(
            f"- Of {count_of(dirty, 'run')} the tree had changes that were not committed: "
            "the snapshot has the code that ran, the commit alone has not."
        )
    unknown = [run for run, about in runs.items() if about["attempt"] is None]
    if unknown:
        said.append(
            f"- {count_of(len(unknown), 'run')} {'was' if len(unknown) == 1 else 'were'} made "
            "elsewhere: code and packages aren't on record here."
        )
    return Item(
        "Experimental result reproducibility",
        "Does the paper say all that it takes to get its main results again?",
        TODO if unknown or not runs else YES,
        said,
        [f"{evidence.folder}/provenance.json", *evidence.plans],
        "say how the runs made elsewhere can be had again" if unknown else "",
    )


def _access(evidence: Evidence) -> Item:
    said = [f"- Repository: {evidence.remote or 'no remote `origin`'}"]
    for record in evidence.datasets.values():
        version = f"version {record['version']}, " if record.get("version") else ""
        said.append(f"- Dataset {record['name']}: {version}sha256 {record['sha256']}")
    said.append(
        "- `snakemake --cores 1 archive` makes one zip of experiments, code, packages, exports and "
        "the paper, to be checked by `caduceus check-archive`."
    )
    return Item(
        "Open access to data and code",
        "Are data and code open, with what it takes to run them?",
        TODO,
        said,
        [*evidence.datasets],
        "say where the archive, the data and the code are public; anonymous in a submission",
    )


def _setting(evidence: Evidence) -> Item:
    said = []
    for plan in evidence.plans.values():
        spec = plan.spec
        said.append(f"- {spec.id}: {spec.program}, {count_of(len(plan.runs), 'run')}")
        details = {
            "dataset": spec.dataset and spec.dataset.name,
            "parameters": _pairs(spec.parameters),
            "varied": _pairs(spec.matrix) or ", ".join(spec.variants),
            "chosen by": spec.sweep and f"a sweep ({_method(spec.sweep)})",
            "seeds": ", ".join(map(str, spec.seeds)),
        }
        said += [f"  - {name}: {value}" for name, value in details.items() if value]
    return Item(
        "Experimental setting/details",
        "Does the paper give the settings that it takes to understand the results?",
        YES,
        said,
        [*evidence.plans],
        "name the splits of the data, and how parameters were chosen where no sweep did",
    )


def _method(sweep: SweepSpec) -> str:
    return "its file" if isinstance(sweep.config, str) else str(sweep.config["method"])


def _significance(evidence: Evidence) -> Item:
    title, question = "Experiment statistical significance", "Are there error bars or tests?"
    rows = [row for table in evidence.tables.values() for row in table["rows"]]
    cells = [cell for row in rows for cell in row["cells"].values()]
    alone = sum(cell["low"] is None for cell in cells)
    said = []
    if cells:
        least, most = (choose(cell["n"] for cell in cells) for choose in (min, max))
        runs = count_of(most, "run") if least == most else f"{least} to {most} runs"
        methods = dict.fromkeys(cell["method"] for cell in cells if cell["low"] is not None)
        said.append(f"- Tables: {runs} in a cell, one for each seed; {'; '.join(methods)}.")
    if alone:
        said.append(f"- Without an interval, of one run: {count_of(alone, 'cell')}.")
    if evidence.claims:
        claims = evidence.claims
        said.append(
            f"- Claims: {TEST_NAMES[claims['test']]}, at {claims['alpha']:g} for all claims "
            "together (Holm)."
        )
    intervals = bool(cells) and not alone
    paths = [*evidence.tables, *[f"{evidence.folder}/claims.json"] * bool(evidence.claims)]
    left = "say what differs between seeds (initialization, order, split)"
    if not intervals:
        left += "; give intervals where there are none, by more seeds"
    return Item(title, question, YES if intervals else TODO, said, paths, left)


def _resources(evidence: Evidence) -> Item:
    compute = evidence.compute
    known = all(machine["cpu"] for machine in compute["machines"])
    said = [
        f"- {name}: {count_of(row['runs'], 'run')}, {_hours(row)}"
        for name, row in [*compute["parts"].items(), ("total", compute["total"])]
    ]
    said.append(r"- The paragraph for the paper: `\input{" + f"{evidence.folder}/compute" + "}`.")
    left = "say whether these hosts are your own, a cluster's or a cloud's"
    if not known:
        left += "; describe those that aren't on record"
    return Item(
        "Experiments compute resources",
        "Are workers, memory and time given for each run and in total?",
        YES if known and compute["total"]["runs"] else TODO,
        said,
        [f"{evidence.folder}/{name}" for name in ("compute.tex", "compute.csv", "attempts.csv")],
        left,
    )


def _assets(evidence: Evidence, item: Item) -> Item:
    said = [f"- Dataset {record['name']}" for record in evidence.datasets.values()]
    paths = [*evidence.provenance["environments"].values()]
    if paths:
        said.append("- The packages that runs used stand in the files below.")
    return Item(item.title, item.question, TODO, said, paths, "cite each asset with its licence")


def _line(text: str) -> str:
    return " ".join(text.split())


def _commit(commit: str | None, runs: int) -> str:
    return f"{commit[:12] if commit else 'none known'} ({count_of(runs, 'run')})"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={parameter_text(value)}" for name, value in values.items())


def _hours(row: Mapping[str, Any]) -> str:
    """The hours of a row of compute.json, as far as they are known."""
    known = [("GPU", row["gpu_hours"]), ("CPU", row["cpu_hours"]), ("wall", row["wall_hours"])]
    return ", ".join(f"{hours:.3g} {what} hours" for what, hours in known if hours)
