# From exported runs and sweeps to what the paper shows.
#
# Needs: results/runs/RUN/ of the runs shown, results/sweeps/SWEEP/ of figures of kind sweep.
# Makes: results/paper/tables/TABLE.{csv,md,tex,json}, results/paper/figures/FIGURE.{pdf,svg,png,
#        json,tex,md}, results/paper/claims.{json,md}, results/refuted.json.


rule make_table:
    """Make a table of the paper as CSV, Markdown, LaTeX and JSON."""
    input:
        plans=lambda wildcards: targets().shown_plans("tables", wildcards.table),
        manifests=lambda wildcards: jobless(
            targets().shown_manifests("tables", wildcards.table)
        ),
    output:
        csv=report(
            "results/paper/tables/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        markdown="results/paper/tables/{table}.md",
        latex="results/paper/tables/{table}.tex",
        json="results/paper/tables/{table}.json",
    log:
        "results/logs/make_table/{table}.log",
    localrule: True
    params:
        spec=lambda wildcards: json.dumps(PAPER.tables[wildcards.table].to_json()),
        statistics=as_is(METHODS),
        formulas=as_is(SETTINGS.csv_formulas),
        code=digest("make_table"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus make-table {input.plans:q} --spec {params.spec:q}'
        " --statistics {params.statistics:q} --formulas {params.formulas:q}"
        " --out {output.csv:q} --log {log:q}"


rule measure_figure:
    """Compute the numbers that a figure of the paper shows."""
    input:
        plans=lambda wildcards: targets().shown_plans("figures", wildcards.figure),
        manifests=inputs("figure_manifests"),
        trials=inputs("figure_trials"),
    output:
        numbers="results/paper/figures/{figure}.json",
        latex="results/paper/figures/{figure}.tex",
        markdown="results/paper/figures/{figure}.md",
    log:
        "results/logs/measure_figure/{figure}.log",
    localrule: True
    params:
        spec=lambda wildcards: json.dumps(PAPER.figures[wildcards.figure].measured),
        statistics=as_is(METHODS),
        trials=lambda wildcards, input: [f"--trials={path}" for path in input.trials],
        code=get_figure_code("measure_figure"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus measure-figure {input.plans:q} {params.trials:q}'
        " --spec {params.spec:q} --statistics {params.statistics:q} --out {output.numbers:q}"
        " --log {log:q}"


rule draw_figure:
    """Draw a figure of the paper as PDF, SVG and PNG."""
    input:
        numbers="results/paper/figures/{figure}.json",
        trials=inputs("figure_trials"),
    output:
        pdf="results/paper/figures/{figure}.pdf",
        svg="results/paper/figures/{figure}.svg",
        png=report(
            "results/paper/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/logs/draw_figure/{figure}.log",
    localrule: True
    params:
        venue=as_is(PAPER.venue),
        width=lambda wildcards: PAPER.figures[wildcards.figure].width,
        trials=lambda wildcards, input: [f"--trials={path}" for path in input.trials],
        code=get_figure_code("draw_figure"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus draw-figure {input.numbers:q} {params.trials:q}'
        " --venue {params.venue:q} --width {params.width:q} --out {output.pdf:q} --log {log:q}"


rule check_claims:
    """Decide all claims of the paper together, since p is corrected for their number."""
    input:
        plans=inputs("claim_plans"),
        manifests=inputs("claim_manifests"),
    output:
        claims="results/paper/claims.json",
        page=report(
            "results/paper/claims.md",
            caption="../report/claims.rst",
            category="Claims",
        ),
    log:
        "results/logs/check_claims/claims.log",
    localrule: True
    params:
        claims=as_is(
            json.dumps({name: claim.to_json() for name, claim in PAPER.claims.items()})
        ),
        statistics=as_is(METHODS),
        code=digest("check_claims"),
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus check-claims {input.plans:q} --claims {params.claims:q}'
        " --statistics {params.statistics:q} --out {output.claims:q} --log {log:q}"


rule report_refuted:
    """List the refuted claims, and fail if there are any."""
    input:
        inputs("paper"),
        claims="results/paper/claims.json",
    output:
        refuted="results/refuted.json",
    log:
        "results/logs/report_refuted/refuted.log",
    localrule: True
    shell:
        '"$CADUCEUS_PYTHON" -m caduceus report-refuted {input.claims:q} --out {output.refuted:q} --log {log:q}'
