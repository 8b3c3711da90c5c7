"""The appendix on the paper's artifact, as its reviewers ask for it.

Its parts are those of the artifact appendix that ACM conferences and MLSys use (ctuning.org/ae), in
our own words; a last part says where a reviewer of NeurIPS finds what the code's checklist asks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.io.amounts import duration, size
from caduceus.io.phrases import count_of, listed
from caduceus.paper.appendix.blocks import Block, Code, Items, Section, Text
from caduceus.paper.appendix.claims import UNTESTED, claim_blocks, other_claims
from caduceus.paper.appendix.subset import Subset, choose_subset
from caduceus.project.claims import Claim
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.plan import Plan

TITLE = "Artifact appendix"
_HOUR_S = 3600.0
_FOR_RUNS = 0.9  # of the hour; exports, tables and verdicts take the rest
_PACKAGES = 12  # in a line
_TODO = "TODO for the author"


@dataclass(frozen=True)
class AppendixData:
    """The facts about the artifact.

    Attributes:
        name: the archive's.
        plans: the experiments.
        datasets: their data.
        decided: claims.json; None without claims.
        claims: `paper.claims`, by name.
        compute: compute.json.
        seconds: what each finished run took, by its id.
        provenance: provenance.json.
        packages: versions that the runs' programs imported, by package.
        pythons: versions of Python that ran them.
        stored: the bytes of the exports.
        mode: `offline` or `online`.
        licence: the first line of the project's licence; None if it has none.
        results: the folder results/.
    """

    name: str
    plans: Sequence[Plan]
    datasets: Sequence[DatasetRecord]
    decided: Mapping[str, Any] | None
    claims: Mapping[str, Claim]
    compute: Mapping[str, Any]
    seconds: Mapping[str, float]
    provenance: Mapping[str, Any]
    packages: Mapping[str, Sequence[str]]
    pythons: Sequence[str]
    stored: int
    mode: str
    licence: str | None
    results: str

    @property
    def subset(self) -> Subset:
        """The claims that fit into one hour."""
        claims = self.decided["claims"] if self.decided else []
        runs = {each["name"]: each["runs"] for each in claims if each["verdict"] not in UNTESTED}
        return choose_subset(runs, self.seconds, _FOR_RUNS * _HOUR_S)


def appendix(data: AppendixData) -> list[Section]:
    """Return the parts of the appendix."""
    return [
        Section("Abstract", [Text(_abstract(data))]),
        Section("Check-list", [Items(list(_facts(data)))]),
        Section("Installation", list(_installation(data))),
        Section("Evaluation without training", list(_evaluation(data))),
        Section("A subset that fits into one hour", list(_one_hour(data))),
        Section("The whole reproduction", list(_whole(data))),
        *_claims(data),
        Section("For NeurIPS", [Items(list(_neurips(data)))]),
    ]


def _abstract(data: AppendixData) -> str:
    claims = data.decided["claims"] if data.decided else []
    counted = Counter(claim["verdict"] for claim in claims)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items()))
    shown = sum(name.startswith(("tables/", "figures/")) for name in data.provenance["items"])
    text = (
        "The artifact has the configuration, the programs, the code that ran, and the complete "
        f"export of {count_of(data.compute['total']['runs'], 'run')}; from these it makes "
        f"{count_of(shown, 'table or figure', 'tables and figures')} of the paper again, byte for "
        "byte and without training."
    )
    decides = f" It decides {count_of(len(claims), 'claim')}: {verdicts}." if claims else ""
    return text + decides


def _facts(data: AppendixData) -> Iterator[tuple[str, str]]:
    total = data.compute["total"]
    programs = sorted({plan.spec.program for plan in data.plans})
    yield "Programs", listed(programs, _PACKAGES)
    yield "Data", "; ".join(map(_dataset, data.datasets)) or "none beside what the programs make"
    yield "Hardware", "; ".join(map(_machine, data.compute["machines"])) or "not known"
    if total.get("peak_memory_gb"):
        yield "Memory", f"{total['peak_memory_gb']:.3g} GB, the largest process of a run"
    yield "Software", _software(data)
    yield "Network", _network(data)
    yield "Disk", _disk(data)
    yield "Time to prepare", "that of installing the packages"
    yield "Time of all experiments", _time(data)
    metrics = sorted({str(claim["metric"]) for claim in (data.decided or {}).get("claims", ())})
    if metrics:
        yield "Metrics", listed(metrics, _PACKAGES)
    yield "Workflow", "Snakemake, by Caduceus"
    yield "Licence of the code", data.licence or _TODO
    yield "Public archive (DOI)", _TODO


def _dataset(record: DatasetRecord) -> str:
    return f"{record.name} ({size(record.bytes)}, sha256 {record.sha256[:12]})"


def _machine(machine: Mapping[str, Any]) -> str:
    count = count_of(len(machine["hosts"]), "host")
    if not machine["cpu"]:
        return f"{count} of unknown kind"
    cpu = machine["cpu"].replace("(R)", "").replace("(TM)", "")
    text = f"{count} with {cpu}, {count_of(machine['cpus'] or 0, 'logical core')}"
    if machine["memory_gb"]:
        text += f", {machine['memory_gb']:.0f} GB of memory"
    if gpus := machine["gpu_memory_gb"]:
        text += f", GPUs: {', '.join(gpus)}"
    return text


def _software(data: AppendixData) -> str:
    python = f"Python {', '.join(data.pythons)}; " if data.pythons else ""
    packages = [f"{name} {', '.join(versions)}" for name, versions in data.packages.items()]
    text = f"the runs imported {listed(packages, _PACKAGES)}; " if packages else ""
    return f"{python}{text}pipeline/envs/requirements.txt has the pipeline's packages"


def _network(data: AppendixData) -> str:
    text = "to install packages; none to make the paper again"
    if data.mode == "online":
        text += (
            "; training logs to a W&B server, and needs an account, unless wandb.mode is offline"
        )
    else:
        text += "; none to train, unless a program downloads something"
    datasets = [plan.spec.dataset for plan in data.plans if plan.spec.dataset]
    programs = sorted({dataset.name for dataset in datasets if dataset.program})
    return f"{text}, as that which makes {listed(programs, 3)} may" if programs else text


def _disk(data: AppendixData) -> str:
    stored = sum(record.bytes for record in data.datasets)
    return f"{size(data.stored)} of exports, {size(stored)} of data, and the packages"


def _time(data: AppendixData) -> str:
    total = data.compute["total"]
    hours = duration(total["wall_hours"] * 3600)
    text = f"{hours}, summed over {count_of(total['attempts'], 'attempt')}"
    if total["gpu_hours"]:
        text += f"; {total['gpu_hours']:.3g} GPU hours"
    return text


def _installation(data: AppendixData) -> Iterator[Block]:
    yield Text("Unpack the archive, and in its folder type:")
    yield Code(
        [
            "python3 -m venv .venv && . .venv/bin/activate",
            "pip install --requirement pipeline/envs/requirements.txt",
            "pip install --no-deps --no-build-isolation ./pipeline",
        ]
    )


def _evaluation(data: AppendixData) -> Iterator[Block]:
    yield Text(
        "This makes all tables, figures and verdicts again from the exports of the runs, without "
        "training, and names each file that differs by a byte. It decides every claim below."
    )
    yield Code([f"caduceus check-archive {data.name}.zip"])


def _one_hour(data: AppendixData) -> Iterator[Block]:
    subset = data.subset
    claims = data.decided["claims"] if data.decided else []
    costs = _costs(claims, data.seconds)
    rest = [claim["name"] for claim in claims if claim["name"] not in subset.claims]
    if not claims:
        yield Text(
            "The paper has no claims in its configuration; the evaluation above is the test."
        )
        return
    if not subset.claims:
        yield Text(
            "No claim that the runs decide fits into one hour; the evaluation above decides all."
        )
        yield from other_claims(rest, costs)
        return
    yield Text(
        f"Training {count_of(len(subset.runs), 'run')} again decides {', '.join(subset.claims)}. "
        f"These runs took {duration(subset.wall_s)} one after the other, on the hardware above; "
        "with --cores N several train at a time. All other results come from the archive, so that "
        "the verdicts are corrected for the same number of claims."
    )
    yield Code(_again(data.results, subset.runs))
    yield Text(
        "Without bitwise deterministic programs the new values differ a little: compare the "
        "verdicts, and hold the effects to the tolerances below. Notes on seeds that were added "
        "later go, since all of these runs are new."
    )
    yield from other_claims(rest, costs)


def _again(results: str, runs: Sequence[str]) -> list[str]:
    return [
        f"cd project/{results}/runs",
        f"rm -r {' '.join(runs)}",
        "cd -",
        "snakemake --cores 2",
        f"diff derived/paper/claims.md project/{results}/paper/claims.md",
    ]


def _costs(claims: Sequence[Mapping[str, Any]], seconds: Mapping[str, float]) -> dict[str, float]:
    return {
        claim["name"]: sum(seconds[run] for run in claim["runs"])
        for claim in claims
        if claim["runs"] and all(run in seconds for run in claim["runs"])
    }


def _whole(data: AppendixData) -> Iterator[Block]:
    yield Text(
        f"All experiments took {_time(data)}. Data must be in place: left_out.csv lists what the "
        "archive lacks."
    )
    yield Code([f"rm -r project/{data.results}/runs", "snakemake --cores 2"])


def _claims(data: AppendixData) -> Iterator[Section]:
    for claim in data.decided["claims"] if data.decided else ():
        item = data.provenance["items"].get(f"claims/{claim['name']}", {})
        command = item.get("command", "snakemake --cores 1 paper")
        blocks = claim_blocks(claim, data.claims[claim["name"]], data.seconds, command)
        yield Section(f"Claim {claim['name']}", blocks)


def _neurips(data: AppendixData) -> Iterator[tuple[str, str]]:
    yield "Dependencies", "pipeline/envs/requirements.txt, and environment.txt with the versions"
    yield "Training code", "project/ as it is now, code/ as it ran, code/runs.csv by run"
    yield "Evaluation code", "the rules in pipeline/workflow, by the command above"
    yield "Results with commands", "derived/paper/provenance.json has the command of each number"
    yield "Checklist", "derived/paper/checklist.md, items 4, 5, 6 and 8"
