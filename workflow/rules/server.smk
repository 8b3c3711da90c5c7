# Between the project and a W&B server. None of this is needed to track runs offline.
#
# Needs: a W&B account (`wandb login`, WANDB_API_KEY or .env).
# Makes: results/runs/RUN/server.json and results/projects/ENTITY/PROJECT/, for remote
#        runs; results/verification.{json,md}. `sync`, `refresh` and `verify` are requested by name
#        and always run.


rule sync:
    """Send runs to the W&B server, each row once, and compare what the server then holds."""
    log:
        "results/logs/sync/sync.log",
    localrule: True
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus sync --log {log:q}'
        ' --results "$(dirname {log:q})"/../..'


rule refresh:
    """Record the state of every run on the W&B server, so that changed runs are exported again."""
    input:
        plans=inputs("remote_plans"),
    log:
        "results/logs/refresh/refresh.log",
    localrule: True
    params:
        project=as_is(str(WANDB.path)),
        projects=as_is(
            json.dumps([chosen.to_json() for chosen in SETTINGS.export.projects])
        ),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus refresh {input.plans:q} --project {params.project:q}'
        ' --projects {params.projects:q} --results "$(dirname {log:q})"/../.. --log {log:q}'


rule verify:
    """Check the W&B set-up with a test run, or compare runs on the server with the local ones."""
    log:
        "results/logs/verify/verify.log",
    localrule: True
    params:
        mode=["--online"] if WANDB.mode == "online" else [],
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus verify {params.mode:q} --log {log:q}'
        ' --results "$(dirname {log:q})"/../..'


rule find_run:
    """Record the state on the W&B server of a remote run."""
    input:
        trial=ancient(inputs("trial")),
    output:
        state="results/runs/{run}/server.json",
    log:
        "results/logs/find_run/{run}.log",
    localrule: True
    params:
        project=as_is(str(WANDB.path)),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus find-run {params.project:q} --trial {input.trial:q}'
        " --out {output.state:q} --log {log:q}"


rule export_server_run:
    """Export a run of a W&B project from the server, whoever ran it."""
    input:
        state=inputs("server_state"),
    output:
        summary="results/projects/{project}/runs/{run}/run_summary.json",
        history="results/projects/{project}/runs/{run}/metrics_history.csv",
        system="results/projects/{project}/runs/{run}/system_metrics.csv",
        media=directory("results/projects/{project}/runs/{run}/media"),
        artifacts=directory("results/projects/{project}/runs/{run}/artifacts"),
        manifest="results/projects/{project}/runs/{run}/manifest.json",
    log:
        "results/logs/export_server_run/{project}/{run}.log",
    localrule: True
    params:
        code=digest("export_server_run"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus export-server-run {input.state:q} --out {output.manifest:q} --log {log:q}'


rule export_server_group:
    """Export a group of a W&B project: every run in one table, and the history of all."""
    input:
        index="results/projects/{project}/runs.json",
        manifests=inputs("server_group_manifests"),
    output:
        runs="results/projects/{project}/groups/{server_group}/runs.csv",
        history="results/projects/{project}/groups/{server_group}/history.parquet",
    log:
        "results/logs/export_server_group/{project}/{server_group}.log",
    localrule: True
    params:
        code=digest("export_server_group"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus export-server-group {input.index:q} --out {output.runs:q} --log {log:q}'
