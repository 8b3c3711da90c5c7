# From planned runs to trained ones.
#
# Needs: results/runs/RUN/params.json and run.json, results/datasets/DATASET/dataset.json.
# Makes: results/runs/RUN/train.json, output/ and work/, upload.json.
#
# Ancient inputs never retrain. scripts/caduceus/project/targets.py says why export_run takes the same
# files as ordinary inputs.


rule train:
    """Run a training program, and record how it ended."""
    input:
        params=ancient("results/runs/{run}/params.json"),
        run=ancient("results/runs/{run}/run.json"),
        dataset=ancient(get_training_data),
    output:
        train="results/runs/{run}/train.json",
    log:
        "results/logs/train/{run}.log",
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
        '"$CADUCEUS_PYTHON" -m caduceus train {input.dataset:q} --threads {threads}'
        " --gpus {resources.gpus} --retries-left {resources.retries_left}"
        " --minutes {resources.minutes}"
        " --out {output.train:q} --log {log:q}"


rule upload_artifacts:
    """Log a run's artifacts, and online send the rest of the run to the server."""
    input:
        train="results/runs/{run}/train.json",
        sweep=ancient(inputs("sweep")),
        run=ancient("results/runs/{run}/run.json"),
        dataset=ancient(data_for("upload.json")),
    output:
        upload="results/runs/{run}/upload.json",
    log:
        "results/logs/upload_artifacts/{run}.log",
    localrule: True
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus upload-artifacts {input.dataset:q} --out {output.upload:q} --log {log:q}'
