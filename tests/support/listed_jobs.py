"""Print the jobs that would run as lines of JSON, and then how many jobs were looked at.

`full WORDS` asks plain Snakemake, `reduced WORDS` and `whole WORDS` Snakemake as Caduceus starts it
at first and then; `build WORDS` builds.
"""

import sys
from typing import Any

from caduceus.system import snakemake_job_list, snakemake_process

emit = snakemake_job_list.JobListHandler.emit


def counted(self: Any, record: Any) -> None:
    before = self._is_done
    emit(self, record)
    if self._is_done and not before:
        print(len(list(self._workflow.dag.jobs)), flush=True)


if __name__ == "__main__":
    how, *words = sys.argv[1:]
    snakemake_job_list.JobListHandler.emit = counted
    if how == "build":
        sys.exit(snakemake_process.run_snakemake(words))
    if how in ("reduced", "whole"):
        sys.exit(snakemake_process.list_jobs(words, whole=how == "whole"))
    snakemake_process.is_listing = True
    options = ["--quiet", "progress", "rules", "--logger", "caduceus", "--dry-run"]
    sys.argv = ["snakemake", *options, *words]
    from snakemake.cli import main

    main(sys.argv[1:])
