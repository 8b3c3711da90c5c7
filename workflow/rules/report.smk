# From everything that was exported and shown to one page.
#
# Needs: results/groups/, results/sweeps/, results/paper/; results/tries/ and
#        results/verification.json if they exist.
# Makes: results/report/index.html.


rule make_report:
    """Make the report: runs, curves, tables, figures, claims, sweeps, tries and compute."""
    input:
        groups=inputs("group_files", file="runs.csv"),
        histories=inputs("group_files", file="history.parquet"),
        plans=inputs("plans"),
        tables=expand("results/paper/tables/{table}.json", table=PAPER.tables),
        figures=expand("results/paper/figures/{figure}.svg", figure=PAPER.figures),
        claims="results/paper/claims.json" if PAPER.claims else [],
        sweeps=expand("results/sweeps/{sweep}/trials.csv", sweep=PROJECT.sweeps),
        tries=TRIES,
        compute="results/paper/compute.json",
        verification=inputs("verification"),
    output:
        page=report(
            "results/report/index.html",
            caption="../report/report.rst",
            category="Report",
        ),
    log:
        "results/logs/make_report/report.log",
    localrule: True
    params:
        title=as_is(str(WANDB.path)),
        statistics=as_is(METHODS),
        code=digest("make_report"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus make-report --title {params.title:q} --groups {input.groups:q}'
        " --plans {input.plans:q} --tables {input.tables:q} --figures {input.figures:q}"
        " --sweeps {input.sweeps:q} --tries {input.tries:q} --claims {input.claims:q} --statistics {params.statistics:q}"
        " --compute {input.compute:q} --verification {input.verification:q}"
        " --out {output.page:q} --log {log:q}"
