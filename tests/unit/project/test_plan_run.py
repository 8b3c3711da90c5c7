"""What a run's definition may change once the run has finished."""

from collections.abc import Callable

import pytest
from caduceus.errors import SpecError
from caduceus.project.experiments import load_experiment
from caduceus.project.plan_run import plan_run
from caduceus.runs.attempts import write_attempt
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from projects import Project
from run_files import attempt


@pytest.fixture
def plan(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunFolder]:
    monkeypatch.chdir(project.path)

    def planned(got_seed: bool | None, **changes: object) -> RunFolder:
        project.change("experiments/toy.yaml", seeds=[0], **changes)
        source = project.path / "experiments/toy.yaml"
        run = load_experiment(
            "experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, project.path
        ).runs[0]
        folder = RunFolder(project.path / "results/runs" / run.id)
        write_attempt(folder.attempts, attempt(got_seed=got_seed))
        plan_run(run.definition, None, source, folder.params_json)
        return folder

    return planned


def test_a_run_that_got_no_seed_is_not_taken_for_one_that_did(
    plan: Callable[..., RunFolder],
) -> None:
    message = r"was trained before seeds were listed.*with --seed=0, or list other seeds"
    with pytest.raises(SpecError, match=message):
        plan(False)
    assert Params.read(plan(None).params_json).seed_by_argument == {"seed": 0}
    assert Params.read(plan(False, seed_argument=None).params_json).seed_by_argument is None
