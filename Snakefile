# Experiment files in, a paper's numbers out.
#
#   snakemake --cores N           train what is missing, export, make tables, figures, verdicts
#   snakemake --cores N paper     the same, without the final checks
#   snakemake --cores 1 verify    check the W&B set-up by a test run
#   snakemake --cores 1 sync      send all runs to the W&B server
#   snakemake --cores 1 refresh   record which runs have changed on the W&B server
#   snakemake --cores 1 archive   everything in one zip, for Zenodo
#
# config.yaml says what to run. Rules of your own go into files named under `custom_rules` there.

from caduceus import check_config
from snakemake.utils import min_version

min_version("9.27")

# Snakemake reads values that can't be made as a traceback. A module is given its configuration.
if not workflow.modifier.is_module:
    check_config("config.yaml")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


rule all:
    """Everything: runs, exports, tables, figures, claims; fails if a run failed."""
    input:
        "results/failures.json",
        inputs("refuted"),
        inputs("paper"),
        inputs("deleted"),


rule paper:
    """Tables, figures and claims, and the exports they come from."""
    input:
        inputs("paper"),
        inputs("deleted"),


include: "workflow/rules/plan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/ledger.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/server.smk"
include: "workflow/rules/archive.smk"


for path in SETTINGS.custom_rules:

    include: os.path.abspath(path)


if workflow.modifier.is_module:
    prefer_all(workflow)


onstart:
    note_holder()
    warn_of_metrics()
