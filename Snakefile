# Experiment files in, a paper's numbers out.
#
#   snakemake --cores N           train what is missing, export, make tables and figures
#   snakemake --cores N paper     the same without the final check for failed runs
#   snakemake --cores 1 sync      bring all runs to the W&B server
#   snakemake --cores 1 refresh   ask the W&B server which runs have changed there
#   snakemake --cores 1 archive   all of it in one zip, for Zenodo
#
# config.yaml says what to run. Rules of your own go into files named under `custom_rules` there.

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "workflow/rules/common.smk"


rule all:
    """Everything: runs, exports, tables, figures; fails if a run failed."""
    default_target: True
    input:
        "results/failures.json",
        get_paper,


rule paper:
    """Tables and figures, and the exports they are drawn from."""
    input:
        get_paper,


include: "workflow/rules/plan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/server.smk"
include: "workflow/rules/archive.smk"


for path in PROJECT.config["custom_rules"]:

    include: os.path.abspath(path)


onstart:
    note_holder()


onsuccess:
    if not {"sync", "refresh", "archive"} & set(workflow.dag_settings.targets):
        for path in expand(
            "results/paper/tables/{table}.md", table=PAPER["tables"]
        ):
            if os.path.exists(path):
                with open(path) as table:
                    print(f"\n{table.read()}")
