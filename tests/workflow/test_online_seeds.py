"""Runs that come later, online."""

from online import account
from projects import Project
from wandb_server import WandbServer


def test_a_new_seed_is_initialised_and_exported_alone(
    project: Project, wandb_server: WandbServer
) -> None:
    project.change("config.yaml", wandb={"project": "tests", "mode": "online"}, paper={})
    project.change("experiments/toy.yaml", seeds=[0], matrix={"rate": [0.1]})
    variables = account(wandb_server, project)
    project.snakemake(**variables).check()
    assert "Nothing to be done" in project.snakemake("--dry-run", **variables).output

    for seeds in ([0, 1], [0, 1, 2]):
        project.change("experiments/toy.yaml", seeds=seeds)
        planned = project.snakemake("--quiet", "rules", "--dry-run", **variables).check().jobs
        jobs = ("check_account", "init_run", "train", "upload_artifacts", "export_run")
        assert {name: planned[name] for name in jobs} == dict.fromkeys(jobs, 1)
        project.snakemake(**variables).check()
        assert "Nothing to be done" in project.snakemake("--dry-run", **variables).output
    assert len(wandb_server.runs) == 3
