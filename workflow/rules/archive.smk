# From everything that was made to one file, by which others can check it.
#
# Needs: results/ of every run, group and sweep, and the paper.
# Makes: results/archive/NAME.zip, which is requested by name and always made again.


rule archive:
    """Archive everything that the paper's numbers were made from, as one zip for Zenodo."""
    input:
        made=inputs("paper"),
        appendix="results/paper/appendix.md",
    log:
        "results/logs/archive/archive.log",
    localrule: True
    threads: 64  # as many of Snakemake's cores as there are
    params:
        config=as_is(json.dumps(config)),
        files=as_is([os.path.relpath(path) for path in workflow.configfiles]),
        pipeline=as_is(
            os.path.dirname(
                os.path.dirname(
                    workflow.current_basedir.get_path_or_uri(secret_free=True)
                )
            )
        ),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus archive {input.made:q} {input.appendix:q} --config {params.config:q}'
        " --config-file {params.files:q} --pipeline {params.pipeline:q}"
        " --cores {threads:q}"
        ' --results "$(dirname {log:q})"/../.. --log {log:q}'
