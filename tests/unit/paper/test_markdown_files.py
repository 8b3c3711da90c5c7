"""Texts of users and programs are no markup in the Markdown that is made of them."""

from pathlib import Path

from caduceus.overview.verification.checks import Check
from caduceus.overview.verification.recording import write_verification
from caduceus.paper.claim_formats import claims_markdown

TEXT = "a | b\n<img src=x> *c* [d](e)"
SHOWN = r"a \| b &lt;img src=x> \*c\* [d]\(e)"


def test_a_claim_is_no_markup() -> None:
    side = {"variant": TEXT, "mean": None, "n": 1}
    numbers = ("low", "effect", "high", "effect_size", "p", "p_adjusted", "minimum_p")
    claim = dict.fromkeys(numbers) | {"p": 0.5, "p_adjusted": 0.5, "minimum_p": 0.5, "n": 1}
    claim |= {"name": TEXT, "verdict": "refuted", "statement": TEXT, "reason": TEXT}
    claim |= {"metric": TEXT, "method": "a test", "sides": [side]}
    lines = claims_markdown({"claims": [claim], "alpha": 0.05}).splitlines()
    assert f"| {SHOWN} | refuted |" in lines[6]
    assert {f"> {SHOWN}", SHOWN} <= set(lines)
    assert lines[-1].startswith(f"Mean ± standard deviation of {SHOWN}: {SHOWN} – (1 run).")


def test_evidence_is_no_markup(tmp_path: Path) -> None:
    write_verification([Check("point", False, TEXT, TEXT)], "offline", tmp_path / "v.json")
    lines = (tmp_path / "v.md").read_text().splitlines()
    assert lines[-2:] == [f"- [ ] **point**: {SHOWN}", f"  To fix it: {SHOWN}."]
