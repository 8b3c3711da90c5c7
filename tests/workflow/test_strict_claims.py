"""Claims in a whole workflow: printed at the end, and of a strict build the last word."""

from pathlib import Path

from projects import Project
from reads import unordered_reads, watched

LOW = {"variant": {"rate": 0.1}, "metric": "val/accuracy", "value": 0.9}
ALPHA = {"alpha": 0.5}  # what two seeds reach


def state(project: Project, statement: str) -> None:
    claims = {"high": {"statement": statement, "at_least": LOW}}
    project.change("config.yaml", paper={"statistics": ALPHA, "claims": claims})


def test_a_refuted_claim_is_printed_and_fails_a_strict_build_after_all_else(
    finished: Project, tmp_path: Path
) -> None:
    state(finished, "A low rate reaches 0.9.")
    reported = finished.snakemake(**watched(tmp_path / "reads")).check()
    assert "  refuted           A low rate reaches 0.9. (p 0.5)" in reported.output.splitlines()

    rules, unordered = unordered_reads(finished, tmp_path / "reads")
    assert unordered == set()
    assert "check_claims" in rules

    state(finished, "A rate of 0.1 reaches 0.9.")
    strict = finished.snakemake("--config", "claims=strict")
    assert strict.code == 1
    said = strict.line("caduceus report-refuted")
    assert said.startswith("caduceus report-refuted: refuted claims: high; ")
    (claim,) = finished.read_json("results/paper/claims.json")["claims"]
    assert (claim["verdict"], claim["statement"]) == ("refuted", "A rate of 0.1 reaches 0.9.")
    assert not (finished.path / "results/refuted.json").exists()

    # A run that changed is judged anew if a claim is about it.
    for rate, jobs in ((0.2, {}), (0.1, {"check_claims": 1})):
        run = next(run for run in finished.runs if f'"rate": {rate}' in read(run / "run.json"))
        (run / "manifest.json").write_text(read(run / "manifest.json") + "\n")
        assert finished.planned("--", "results/paper/claims.md") == jobs


def read(path: Path) -> str:
    return path.read_text()
