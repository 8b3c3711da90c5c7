# From a sweep's configuration to its trials, each a run or several, and to its results.
#
# Needs: experiment files with `sweep`, training programs, results/runs/RUN/ of their runs.
# Makes: results/sweeps/SWEEP/{sweep.json, sweep.yaml, trials/TRIAL.json, trials.csv, best.json,
#        importance.csv, confirmed.csv, figures/}, results/runs/RUN/train.json of each trial's runs,
#        or outcome.json of each remote run.
#
# A trial is suggested once: the inputs of its suggestion are ancient, and no later result changes it.


ruleorder: sweep_agent > train
ruleorder: find_trial > ask_trial > suggest_trial


rule start_sweep:
    """Write a sweep's plan, and take the code snapshot that all its trials run."""
    input:
        experiment=ancient(
            lambda wildcards: local(PROJECT.sweeps[wildcards.sweep].source.path)
        ),
    output:
        plan="results/sweeps/{sweep}/sweep.json",
        given="results/sweeps/{sweep}/sweep.yaml",
    log:
        "results/logs/start_sweep/{sweep}.log",
    localrule: True
    params:
        plan=lambda wildcards: json.dumps(
            PROJECT.sweeps[wildcards.sweep].sweep.plan.to_json()
        ),
        code=lambda wildcards: json.dumps(PROJECT.sweeps[wildcards.sweep].spec.code),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus start-sweep {input.experiment:q} --plan {params.plan:q}'
        " --code {params.code:q} --out {output.plan:q} --log {log:q}"


rule suggest_trial:
    """Choose a trial's parameters from the results of trials 0 to t - lag."""
    input:
        results=ancient(inputs("observations", file="train.json")),
        before=ancient(inputs("trial_before")),
        plan=ancient("results/sweeps/{sweep}/sweep.json"),
    output:
        trial="results/sweeps/{sweep}/trials/{trial}.json",
    log:
        "results/logs/suggest_trial/{sweep}/{trial}.log",
    localrule: True
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus suggest-trial {input.results:q} --out {output.trial:q} --log {log:q}'


rule ask_trial:
    """Get a trial's parameters from the W&B server, once it has trials 0 to t - lag."""
    input:
        ended=ancient(inputs("observations", file="upload.json")),
        before=ancient(inputs("trial_before")),
        plan=ancient("results/sweeps/{sweep}/sweep.json"),
    output:
        trial="results/sweeps/{sweep}/trials/{trial}.json",
    log:
        "results/logs/ask_trial/{sweep}/{trial}.log",
    wildcard_constraints:
        sweep="|".join(map(re.escape, PROJECT.server_sweeps)) or "none",
    localrule: True
    resources:
        is_online=int(TRAINS_ONLINE),  # no param: what was chosen once stays so offline
    params:
        project=as_is(str(WANDB.path)),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus ask-trial {input.ended:q} --project {params.project:q}'
        " --is-online {resources.is_online} --out {output.trial:q} --log {log:q}"


rule find_trial:
    """Find on the W&B server what a sweep chose for a remote trial."""
    input:
        results=ancient(inputs("observations", file="outcome.json")),
        before=ancient(inputs("trial_before")),
        plan=ancient("results/sweeps/{sweep}/sweep.json"),
    output:
        trial="results/sweeps/{sweep}/trials/{trial}.json",
    log:
        "results/logs/find_trial/{sweep}/{trial}.log",
    wildcard_constraints:
        sweep="|".join(map(re.escape, PROJECT.remote_sweeps)) or "none",
    localrule: True
    params:
        project=as_is(str(WANDB.path)),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus find-trial {input.results:q} --project {params.project:q}'
        " --out {output.trial:q} --log {log:q}"


rule evaluate_run:
    """Write the outcome of a sweep's remote run, as the sweep needs it."""
    input:
        trial=ancient(inputs("trial")),
        sweep=ancient(inputs("sweep")),
        manifest="results/runs/{run}/manifest.json",
    output:
        outcome="results/runs/{run}/outcome.json",
    log:
        "results/logs/evaluate_run/{run}.log",
    wildcard_constraints:
        run=run_pattern(PROJECT.sweeps),
    localrule: True
    params:
        code=digest("evaluate_run"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus evaluate-run {input.trial:q} --out {output.outcome:q} --log {log:q}'


rule confirm_trial:
    """Choose one of the best configurations, to run it again on fresh seeds."""
    input:
        results=ancient(inputs("trial_results")),
        sweep=ancient("results/sweeps/{sweep}/sweep.json"),
    output:
        trial="results/sweeps/{sweep}/trials/c{trials}.{rank}.json",
    log:
        "results/logs/confirm_trial/{sweep}/{trials}.{rank}.log",
    localrule: True
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus confirm-trial --out {output.trial:q} --log {log:q}'


rule sweep_agent:
    """Run a trial of a sweep, and stop it early where the sweep's rule says so."""
    input:
        trial=ancient(inputs("trial")),
        sweep=ancient(inputs("sweep")),
        dataset=ancient(data_for("train.json")),
        params=ancient("results/runs/{run}/params.json"),
        run=ancient("results/runs/{run}/run.json"),
    output:
        train="results/runs/{run}/train.json",
    log:
        "results/logs/sweep_agent/{run}.log",
    wildcard_constraints:
        run=run_pattern(PROJECT.sweeps),
    retries: RETRIES
    threads: get_resource("threads")
    resources:
        mem_mb=get_resource("mem_mb"),
        gpus=get_gpus,
        runtime=get_resource("scheduler_minutes"),
        minutes=get_resource("runtime"),
        retries_left=get_retries_left,
    shell:
        # Without exec, the shell between would die of the signal that tells a program to save.
        "exec "
        '"$CADUCEUS_PYTHON" -m caduceus sweep-agent {input.trial:q} {input.dataset:q} --threads {threads}'
        " --gpus {resources.gpus} --retries-left {resources.retries_left}"
        " --minutes {resources.minutes}"
        " --out {output.train:q} --log {log:q}"


rule export_sweep:
    """Export a sweep: its trials in one table, the best as an experiment, importances, figures."""
    input:
        plan=lambda wildcards: f"results/experiments/{PROJECT.sweeps[wildcards.sweep].id}.json",
        sweep="results/sweeps/{sweep}/sweep.json",
        trials=inputs("trials"),
        manifests=inputs("sweep_manifests"),
        outcomes=inputs("outcomes"),
    output:
        trials="results/sweeps/{sweep}/trials.csv",
        confirmed="results/sweeps/{sweep}/confirmed.csv",
        best="results/sweeps/{sweep}/best.json",
        importance="results/sweeps/{sweep}/importance.csv",
        figures=directory("results/sweeps/{sweep}/figures"),
    log:
        "results/logs/export_sweep/{sweep}.log",
    localrule: True
    params:
        folds=as_is(FOLDS),
        code=digest("export_sweep"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus export-sweep {input.plan:q} --folds {params.folds:q}'
        " --out {output.trials:q} --log {log:q}"
