# From experiment files to planned runs.
#
# Needs: experiment files, training programs, datasets or the programs that make them.
# Makes: results/experiments/EXPERIMENT.json, results/datasets/DATASET/dataset.json,
#        results/runs/RUN/params.json and run.json.


rule validate_spec:
    """Check an experiment file, fill in its defaults, and list its runs."""
    input:
        experiment=lambda wildcards: local(
            PROJECT.experiments[wildcards.experiment].source.path
        ),
        bases=lambda wildcards: [
            local(base)
            for base in PROJECT.experiments[wildcards.experiment].source.files[1:]
        ],
    output:
        plan="results/experiments/{experiment}.json",
    log:
        "results/logs/validate_spec/{experiment}.log",
    localrule: True
    params:
        defaults=as_is(canonical_json(SETTINGS.defaults)),
        groups=as_is(canonical_json(WANDB.groups)),
        runs=lambda wildcards: digest_text(str(PROJECT.run_ids([wildcards.experiment]))),
        code=digest("validate_spec"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus validate-spec {input.experiment:q} --defaults {params.defaults:q}'
        " --groups {params.groups:q} --out {output.plan:q} --log {log:q}"


rule make_dataset:
    """Make or find a dataset, compute its digest, and check it against its declaration."""
    input:
        source=ancient(get_dataset_source),
    output:
        dataset="results/datasets/{dataset}/dataset.json",
    log:
        "results/logs/make_dataset/{dataset}.log",
    params:
        spec=lambda wildcards: canonical_json(
            PROJECT.datasets[wildcards.dataset].to_json()
        ),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus make-dataset --spec {params.spec:q} --out {output.dataset:q}'
        " --log {log:q}"


# These two don't take the experiment's plan: it lists all runs, so that adding one would rerun all.
# Each depends on its own run, through its params.


rule plan_run:
    """Write a run's definition and take a snapshot of its code."""
    input:
        trial=inputs("trial"),
    output:
        params="results/runs/{run}/params.json",
    log:
        "results/logs/plan_run/{run}.log",
    localrule: True
    params:
        experiment=get_experiment_file,
        definition=get_definition,
        code=get_code,
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus plan-run {params.experiment:q} {input.trial:q} --definition {params.definition:q}'
        " --code {params.code:q} --out {output.params:q} --log {log:q}"


rule check_account:
    """Check that the W&B account may log to the project, before anything trains."""
    output:
        # Kept: where an ancient input is missing, Snakemake runs all jobs that read it.
        account="results/account.json",
    log:
        "results/logs/check_account/account.log",
    localrule: True
    params:
        project=as_is(str(WANDB.path)),
        checked_for=get_account_check,
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus check-account {params.project:q} --for={params.checked_for:q} --out {output.account:q} --log {log:q}'


rule init_run:
    """Write a run's W&B identity; wandb isn't started and no network is used."""
    input:
        account=ancient("results/account.json" if TRAINS_ONLINE else []),
        trial=inputs("trial"),
        first=inputs("first_identity"),
    output:
        run="results/runs/{run}/run.json",
    log:
        "results/logs/init_run/{run}.log",
    localrule: True
    params:
        identity=get_identity,
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus init-run {input.account:q} --identity {params.identity:q}'
        " --trial {input.trial:q} --out {output.run:q} --log {log:q}"
