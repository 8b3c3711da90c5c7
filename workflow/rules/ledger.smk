# From everything that was run and made to its cost, and the provenance of each number.
#
# Needs: results/runs/RUN/ of all runs, results/projects/, results/paper/{tables, figures, claims}.
# Makes: results/paper/{compute.json, compute.csv, compute.tex, attempts.csv, provenance.json,
#        numbers.tex, checklist.md}.
#
# Abandoned runs, which no experiment lists any more, are no inputs: they are read whenever the ledger
# is made.


rule sum_compute:
    """Sum the cost of all runs, including failed and abandoned ones, as CSV, JSON and LaTeX."""
    input:
        plans=inputs("plans"),
        ended=inputs("ended"),
        started=ancient(inputs("started")),
        projects=inputs("server_group_files", file="runs.csv"),
    output:
        compute="results/paper/compute.json",
        csv=report(
            "results/paper/compute.csv",
            caption="../report/compute.rst",
            category="Compute",
        ),
        latex="results/paper/compute.tex",
        attempts="results/paper/attempts.csv",
    log:
        "results/logs/sum_compute/compute.log",
    localrule: True
    params:
        code=digest("sum_compute"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus sum-compute {input.plans:q} --out {output.compute:q} --log {log:q}'


rule record_provenance:
    """Record the runs, code, packages and command behind each number of the paper."""
    input:
        shown=inputs("entries"),
        manifests=inputs("all_shown_manifests"),
    output:
        provenance="results/paper/provenance.json",
        numbers="results/paper/numbers.tex",
    log:
        "results/logs/record_provenance/provenance.log",
    localrule: True
    params:
        metrics=as_is(json.dumps(PROJECT.shown_metrics)),
        code=digest("record_provenance"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus record-provenance {input.shown:q} --metrics {params.metrics:q}'
        " --out {output.provenance:q} --numbers {output.numbers:q} --log {log:q}"


rule fill_checklist:
    """Fill in the NeurIPS paper checklist, as far as the data answer it."""
    input:
        plans=inputs("plans"),
        datasets=inputs("datasets"),
        tables=expand("results/paper/tables/{table}.json", table=PAPER.tables),
        claims="results/paper/claims.json" if PAPER.claims else [],
        compute="results/paper/compute.json",
        provenance="results/paper/provenance.json",
    output:
        checklist=report(
            "results/paper/checklist.md",
            caption="../report/checklist.rst",
            category="Checklist",
        ),
    log:
        "results/logs/fill_checklist/checklist.log",
    localrule: True
    params:
        code=digest("fill_checklist"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus fill-checklist {input.plans:q} --datasets {input.datasets:q}'
        " --tables {input.tables:q} --claims {input.claims:q} --compute {input.compute:q}"
        " --provenance {input.provenance:q} --out {output.checklist:q} --log {log:q}"


rule write_appendix:
    """Write the appendix on the paper's artifact, for its reviewers, as Markdown and LaTeX."""
    input:
        plans=inputs("plans"),
        datasets=inputs("datasets"),
        claims="results/paper/claims.json" if PAPER.claims else [],
        compute="results/paper/compute.json",
        attempts="results/paper/attempts.csv",
        provenance="results/paper/provenance.json",
    output:
        appendix="results/paper/appendix.md",
        latex="results/paper/appendix.tex",
    log:
        "results/logs/write_appendix/appendix.log",
    localrule: True
    params:
        claims=as_is(
            json.dumps({name: claim.to_json() for name, claim in PAPER.claims.items()})
        ),
        name=as_is(SETTINGS.archive_name),
        mode=as_is(SETTINGS.wandb.mode),
        code=digest("write_appendix"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus write-appendix {input.plans:q} --datasets {input.datasets:q}'
        " --claims={params.claims:q} --name={params.name:q} --mode={params.mode:q}"
        " --out {output.appendix:q} --log {log:q}"
