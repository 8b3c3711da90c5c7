# From exported groups, runs and sweeps to what the paper shows.
#
# Needs: results/groups/GROUP/ of the groups shown, results/runs/RUN/ of the runs shown,
#        results/sweeps/SWEEP/ of figures of kind sweep.
# Makes: results/paper/tables/TABLE.{csv,md,tex}, results/paper/figures/FIGURE.{pdf,svg,png,json}.


localrules:
    make_table,
    make_figure,


rule make_table:
    """Make a table of the paper as CSV, Markdown and LaTeX."""
    input:
        variants=lambda wildcards: get_shown("tables", wildcards.table, "variants.csv"),
    output:
        csv="results/paper/tables/{table}.csv",
        markdown="results/paper/tables/{table}.md",
        latex="results/paper/tables/{table}.tex",
    log:
        "results/logs/make_table/{table}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        spec=lambda wildcards: json.dumps(PAPER["tables"][wildcards.table]),
        code=DIGESTS["make_table"],
    shell:
        "python -m caduceus make-table {input.variants:q} --spec {params.spec:q}"
        " --out {output.csv:q} --log {log:q}"


rule make_figure:
    """Make a figure of the paper as PDF, SVG and PNG."""
    input:
        plans=lambda wildcards: get_shown_plans("figures", wildcards.figure),
        manifests=lambda wildcards: get_figure_manifests(wildcards.figure),
        trials=lambda wildcards: get_figure_trials(wildcards.figure),
    output:
        pdf="results/paper/figures/{figure}.pdf",
        svg="results/paper/figures/{figure}.svg",
        png=report(
            "results/paper/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        numbers="results/paper/figures/{figure}.json",
    log:
        "results/logs/make_figure/{figure}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        spec=lambda wildcards: json.dumps(PAPER["figures"][wildcards.figure]),
        statistics=json.dumps(PAPER["statistics"]),
        venue=PAPER["venue"],
        trials=lambda wildcards, input: [f"--trials={path}" for path in input.trials],
        code=DIGESTS["make_figure"],
    shell:
        "python -m caduceus make-figure {input.plans:q} {params.trials:q} --spec {params.spec:q}"
        " --statistics {params.statistics:q} --venue {params.venue:q}"
        " --out {output.pdf:q} --log {log:q}"
