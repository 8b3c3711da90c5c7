# From exported groups to what the paper shows.
#
# Needs: results/groups/GROUP/ of the groups shown.
# Makes: results/paper/tables/TABLE.{csv,md,tex}, results/paper/figures/FIGURE.{pdf,svg,png}.


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
        runs=lambda wildcards: get_shown("figures", wildcards.figure, "runs.csv"),
        variants=lambda wildcards: get_shown(
            "figures", wildcards.figure, "variants.csv"
        ),
        history=lambda wildcards: get_shown(
            "figures", wildcards.figure, "history.parquet"
        ),
    output:
        pdf="results/paper/figures/{figure}.pdf",
        svg="results/paper/figures/{figure}.svg",
        png="results/paper/figures/{figure}.png",
    log:
        "results/logs/make_figure/{figure}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        spec=lambda wildcards: json.dumps(PAPER["figures"][wildcards.figure]),
        code=DIGESTS["make_figure"],
    shell:
        "python -m caduceus make-figure --runs {input.runs:q} --variants {input.variants:q}"
        " --history {input.history:q} --spec {params.spec:q} --out {output.pdf:q} --log {log:q}"
