# From trained runs to plain files.
#
# Needs: results/runs/RUN/ with its log or server.json, results/experiments/EXPERIMENT.json.
# Makes: results/runs/RUN/{run_summary.json, metrics_history.csv, system_metrics.csv, media/,
#        artifacts/, manifest.json}, results/groups/GROUP/{runs.csv, variants.csv,
#        history.parquet, compute.json}, results/failures.json.


if SETTINGS.export.is_remote:

    rule export_fetched_run:
        """Export a remote run: download from the W&B server what is missing here, then export it."""
        input:
            params="results/runs/{run}/params.json",
            run="results/runs/{run}/run.json",
            logged=inputs("logged"),
        output:
            summary="results/runs/{run}/run_summary.json",
            history="results/runs/{run}/metrics_history.csv",
            system="results/runs/{run}/system_metrics.csv",
            media=directory("results/runs/{run}/media"),
            artifacts=directory("results/runs/{run}/artifacts"),
            manifest="results/runs/{run}/manifest.json",
        log:
            "results/logs/export_fetched_run/{run}.log",
        localrule: True
        params:
            code=digest("export_fetched_run"),
        shell:
            '"$CADUCEUS_PYTHON" -m caduceus export-fetched-run --out {output.manifest:q} --log {log:q}'

else:

    rule check_logs:
        """Fail for a run that has neither its whole export nor the logs to make it from."""
        output:
            logs="results/runs/{run}/checked_logs",
        log:
            "results/logs/check_logs/{run}.log",
        localrule: True
        shell:
            '"$CADUCEUS_PYTHON" -m caduceus check-logs --out {output.logs:q} --log {log:q}'

    rule export_run:
        """Export a run from W&B's log: summary, history, system metrics, media, artifacts."""
        input:
            params="results/runs/{run}/params.json",
            run="results/runs/{run}/run.json",
            logged=get_logged,
        output:
            summary="results/runs/{run}/run_summary.json",
            history="results/runs/{run}/metrics_history.csv",
            system="results/runs/{run}/system_metrics.csv",
            media=directory("results/runs/{run}/media"),
            artifacts=directory("results/runs/{run}/artifacts"),
            manifest="results/runs/{run}/manifest.json",
        log:
            "results/logs/export_run/{run}.log",
        localrule: True
        params:
            code=digest("export_run"),
        shell:
            '"$CADUCEUS_PYTHON" -m caduceus export-run --out {output.manifest:q} --log {log:q}'


rule export_group:
    """Export a W&B group: every run in one table, aggregates by variant, history, compute."""
    input:
        plans=inputs("group_plans"),
        manifests=inputs("group_manifests"),
    output:
        runs="results/groups/{group}/runs.csv",
        variants="results/groups/{group}/variants.csv",
        history="results/groups/{group}/history.parquet",
        compute="results/groups/{group}/compute.json",
    log:
        "results/logs/export_group/{group}.log",
    localrule: True
    params:
        folds=as_is(FOLDS),
        code=digest("export_group"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus export-group {input.plans:q} --folds {params.folds:q}'
        " --out {output.runs:q} --log {log:q}"


rule report_failures:
    """List the failed runs and entries, and fail if there are any."""
    input:
        made=inputs("paper"),
        plans=inputs("plans"),
        runs=inputs("ended"),
    output:
        failures="results/failures.json",
    log:
        "results/logs/report_failures/failures.log",
    localrule: True
    params:
        folds=as_is(FOLDS),
        secrets=as_is(SETTINGS.secrets),
        notify=as_is(SETTINGS.notify.argument),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus report-failures {input.plans:q} --made {input.made:q}'
        " --folds {params.folds:q} --secrets {params.secrets:q} --notify={params.notify:q}"
        " --out {output.failures:q} --log {log:q}"
