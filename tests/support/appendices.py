"""What an appendix on an artifact is made from, with plausible values."""

from typing import Any

from caduceus.paper.appendix.content import AppendixData
from caduceus.project.claims import Claim
from caduceus.runs.files.dataset import DatasetRecord
from run_files import plan

RUNS = {"better": ("a-1", "a-2", "b-1", "b-2"), "bound": ("a-1", "a-2"), "long": ("c-1",)}
SECONDS = {"a-1": 600.0, "a-2": 600.0, "b-1": 900.0, "b-2": 900.0, "c-1": 7200.0}
METRIC = {"name": "val/accuracy", "goal": None}
TESTS: dict[str, dict[str, Any]] = {
    "better": {"compare": {"better": {"rate": 1}, "worse": {"rate": 2}, "margin": 0.05}},
    "bound": {"at_least": {"variant": {"rate": 1}, "value": 0.5}},
    "long": {"reproduces": {"variant": {}, "value": 0.7, "tolerance": 0.02, "source": "A & B"}},
}


def claim(name: str) -> Claim:
    ((kind, test),) = TESTS[name].items()
    given = {"metric": METRIC, "goal": "maximize"} | test
    if kind != "compare":
        del given["goal"]
    about = {"statement": f"The sentence of {name}: 5 % & more_of #1.", "experiments": ["toy"]}
    return Claim.from_json({**about, kind: given})


def decided(name: str, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "statement": claim(name).statement,
        "verdict": "supported",
        "reason": "",
        "metric": "val/accuracy",
        "n": 2,
        "effect": 0.1,
        "low": 0.08,
        "high": 0.12,
        "runs": list(RUNS[name]),
    } | values


def data(**values: Any) -> AppendixData:
    machine = {
        "cpu": "Some(R) CPU",
        "cpus": 8,
        "memory_gb": 32,
        "gpu_memory_gb": {"GPU X": 80},
        "hosts": ["host-1"],
    }
    given: dict[str, Any] = {
        "name": "paper",
        "plans": [plan({}, program="experiments/train.py")],
        "datasets": [
            DatasetRecord(name="points", path="data/p.csv", sha256="5" * 64, bytes=1200, files={})
        ],
        "decided": {"claims": [decided(name) for name in RUNS]},
        "claims": {name: claim(name) for name in RUNS},
        "compute": {
            "machines": [machine],
            "total": {
                "runs": 5,
                "attempts": 6,
                "wall_hours": 2.9,
                "gpu_hours": 1.5,
                "peak_memory_gb": 1.5,
            },
        },
        "seconds": SECONDS,
        "provenance": {"items": {"tables/t": {}, "claims/better": {"command": "snakemake x"}}},
        "packages": {"numpy": ["2.0"]},
        "pythons": ["3.12.1"],
        "stored": 4_500_000,
        "mode": "offline",
        "licence": "MIT License",
        "results": "results",
    }
    return AppendixData(**given | values)
