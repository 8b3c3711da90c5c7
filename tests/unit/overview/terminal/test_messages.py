import pytest
from caduceus.overview.terminal.messages import (
    failure_reason,
    is_failed_job,
    is_noise,
    reports_failures,
    restarted_job,
    was_said,
)

FAILED = (
    "RuleException:\nCalledProcessError in file \"/x/export.smk\", line 97:\nCommand 'x' returned"
)


@pytest.mark.parametrize(
    "line",
    [
        *("Building DAG of jobs...", "Select jobs to execute...", "Using shell: /usr/bin/bash"),
        *(FAILED, "WorkflowError:\nAt least one job did not complete successfully."),
        "Complete log(s): /x/.snakemake/log/x.log",
    ],
)
def test_lines_about_no_build_are_dropped(line):
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        'SyntaxError in file "Snakefile", line 3:\nEOL in multiline statement',
        'MissingInputException in rule x in file "Snakefile", line 1:\nMissing input files',
        "LockException:\nError: Directory cannot be locked.",
        'RuleException:\nValueError in file "Snakefile", line 13:\nin python',
        "WorkflowError:\nFailed to open source file",
        "Nothing to be done (all requested files are present and up to date).",
    ],
)
def test_errors_that_are_no_failed_command_are_shown(line):
    assert not is_noise(line)
    assert not is_failed_job(line)


def test_a_restarted_job_is_known_by_its_number():
    assert restarted_job("Trying to restart job 12.") == 12
    assert restarted_job("12") is None


def test_jobs_that_list_failures_are_known_by_their_command():
    assert reports_failures('"$CADUCEUS_PYTHON" -m caduceus report-failures results/x.json')
    assert not reports_failures("python -m caduceus make-table x")
    assert not reports_failures(None)


def test_the_reason_is_the_last_line_of_the_log_and_names_it(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("first\nwhy \x1b[31mit fails\n\n")
    assert failure_reason(None, [str(log)]) == f"why \\x1b[31mit fails; see {log}"
    assert not was_said([str(log)])
    log.write_text(f"caduceus train: x failed; see {log}\n")
    assert failure_reason(None, [str(log)]) == f"x failed; see {log}"
    assert was_said([str(log)])


def test_an_executor_and_a_missing_log_have_their_say():
    said = "SLURM job 7 ended as TIMEOUT. For further error details see the cluster/cloud log and"
    assert failure_reason(said, ["no.log"]) == "SLURM job 7 ended as TIMEOUT.; see no.log"
    assert failure_reason(None, []) == "see the lines above"
