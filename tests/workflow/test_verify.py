"""The ten points of a W&B set-up, offline: a test run, looked at."""

import json
import subprocess
from pathlib import Path

from caduceus.overview.verification import program
from caduceus.overview.verification.checks import look_at
from projects import Project
from run_files import artifact, summary


def test_a_set_up_without_an_account_is_verified(project: Project) -> None:
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "config.yaml"], ["commit", "-qm", "x"]):
        subprocess.run([*run, *words], cwd=project.path, check=True)
    project.change("config.yaml", retries=1)  # what isn't committed is recorded too
    printed = project.snakemake("verify", HOME=str(project.path)).check().output

    found = project.read_json("results/verification.json")
    assert found["mode"] == "offline"
    checks = {check["name"]: check for check in found["checks"]}
    assert len(checks) == 10
    assert all(check["is_ok"] for check in checks.values())
    assert "no account is needed" in checks["login works"]["evidence"]
    assert checks["metrics arrive exactly"]["evidence"].startswith(f"{program.STEPS} rows")
    assert (
        "with changes; what ran is code-verification"
        in checks["the git commit is captured"]["evidence"]
    )
    page = (project.path / "results/verification.md").read_text()
    assert page.count("- [x] **") == 10
    assert printed.count("ok    ") == 10
    assert not (project.path / "results/runs").exists()


def test_what_is_lost_or_changed_is_a_failure(tmp_path: Path) -> None:
    """An export in which a value, a picture's pixels and the model are wrong."""
    (tmp_path / "media").mkdir()
    (tmp_path / "artifacts/model-x").mkdir(parents=True)
    (tmp_path / "artifacts/model-x/model.txt").write_text("another\n")
    picture = written_picture(tmp_path / "media/curves.png")
    cell = json.dumps({"_type": "image-file", "path": picture}).replace('"', '""')
    rows = [f'{1 / (step + 1)!r},{step / 7!r},""' for step in range(program.STEPS)]
    rows[2] = rows[2].replace(repr(2 / 7), "0.28")
    rows[3] = rows[3][:-2] + f'"{cell}"'
    header = "train/loss,val/accuracy,visualizations/loss_curves"
    (tmp_path / "metrics_history.csv").write_text("\n".join([header, *rows, ""]))
    (tmp_path / "system_metrics.csv").write_text("_timestamp\n")
    exported = summary("r", artifacts=(artifact("model-x", "model", {}),))
    exported.write(tmp_path / "run_summary.json")

    found = {check.name: check for check in look_at(tmp_path, [], "other", [])}
    assert {name for name, check in found.items() if check.is_ok} == {"the export works"}
    assert "val/accuracy at step 2 is '0.28'" in found["metrics arrive exactly"].evidence
    assert "isn't the one that is drawn" in found["visualisations display"].evidence
    assert "model-x/model.txt" in found["artifacts come back with equal digests"].evidence
    assert all(check.mend for check in found.values() if not check.is_ok)


def written_picture(path: Path) -> str:
    from PIL import Image

    Image.new("RGB", (800, 520)).save(path)
    return f"media/{path.name}"
