"""Write the result of a verification to files."""

from collections.abc import Sequence
from pathlib import Path

from caduceus.io.files import write_json, write_whole
from caduceus.io.markdown import markdown_text
from caduceus.overview.verification.checks import Check


def write_verification(checks: Sequence[Check], mode: str, out: Path) -> None:
    """Write verification.json and, beside it, verification.md.

    Args:
        checks: all checks that were made.
        mode: "offline" or "online".
        out: results/verification.json: `mode`, and `checks`: `name`, `is_ok`, `evidence`, `mend`.
    """
    write_json(out, {"mode": mode, "checks": [vars(check) for check in checks]})
    failed = sum(not check.is_ok for check in checks)
    verdict = f"{failed} of {len(checks)} don't work." if failed else f"All {len(checks)} work."
    lines = ["# W&B set-up, verified", "", f"Mode: {mode}. {verdict}", ""]
    for check in checks:
        lines.append(
            f"- [{'x' if check.is_ok else ' '}] **{check.name}**: {markdown_text(check.evidence)}"
        )
        if not check.is_ok:
            lines.append(f"  To fix it: {markdown_text(check.mend)}.")
    write_whole(out.with_suffix(".md"), "\n".join(lines) + "\n")
