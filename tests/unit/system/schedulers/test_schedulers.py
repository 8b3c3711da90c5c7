"""PBS, LSF and HTCondor by stand-ins, which print what the manuals of the real ones show.

None of the three can be installed here: these tests hold what we send and read to the manuals, not
to the programs. tests/workflow/test_grid_engine.py runs on a real Grid Engine.
"""

import os
from pathlib import Path

import pytest
from caduceus.errors import SchedulerError
from caduceus.system.schedulers.known import SCHEDULERS, scheduler_named
from caduceus.system.schedulers.requests import request_for
from caduceus.system.schedulers.scheduler import JobRequest, LimitError, OutageError, QueuedJob

# Of each scheduler: the answer of its submitting program and of its list, as in
# - OpenPBS: qsub(1B), "the job identifier"; qstat(1B), the alternative format of -u
# - LSF 10.1: bsub, "Job <jobID> is submitted to queue"; bjobs -o with delimiter and -noheader
# - HTCondor: condor_submit -terse, "first and last job"; condor_q -autoformat:t
# - Grid Engine: qsub(1) -terse; qstat(1) -xml
ANSWERS = {
    "pbs": (
        "1234.pbs-server\n",
        """

pbs-server:
                                                            Req'd  Req'd   Elap
Job ID          Username Queue    Jobname    SessID NDS TSK Memory Time  S Time
--------------- -------- -------- ---------- ------ --- --- ------ ----- - -----
1234.pbs-server user     workq    train.toy*    --    1   4   16gb 02:10 Q   --
1235.pbs-server user     workq    train.toy*   4711   1   4   16gb 02:10 R 00:03
1236.pbs-server user     workq    train.toy*   4712   1   4   16gb 02:10 E 00:05
1237.pbs-server user     workq    train.toy*    --    1   4   16gb 02:10 H   --
1238.pbs-server user     workq    train.toy*   4713   1   4   16gb 02:10 F 00:05
""",
        {"1234": "waiting", "1235": "running", "1236": "ending", "1237": "waiting"},
    ),
    "lsf": (
        "Job <1234> is submitted to queue <normal>.\n",
        "1234|PEND|train.toy.1\n1235|RUN|train.toy.2\n1236|SSUSP|train.toy.3\n"
        "1237|EXIT|train.toy.4\n1238|ZOMBI|train.toy.5\n",
        {"1234": "waiting", "1235": "running", "1236": "running", "1238": "ending"},
    ),
    "htcondor": (
        "1234.0 - 1234.0\n",
        "1234\t1\ttrain.toy.1\tundefined\tundefined\n1235\t2\ttrain.toy.2\tundefined\tundefined\n"
        "1236\t5\ttrain.toy.3\t1\tvia condor_hold (by user user)\n"
        "1237\t5\ttrain.toy.4\t14\tCannot access initial working directory /project\n"
        "1238\t3\ttrain.toy.5\tundefined\tundefined\n1239\t4\ttrain.toy.6\tundefined\tundefined\n",
        {
            "1234": "waiting",
            "1235": "running",
            "1236": "waiting",
            "1237": "stuck",
            "1238": "ending",
        },
    ),
    "gridengine": (
        "1234\n",
        "<job_info><queue_info><job_list><JB_job_number>1234</JB_job_number><JB_name>a</JB_name>"
        "<state>r</state></job_list></queue_info><job_info>"
        "<job_list><JB_job_number>1235</JB_job_number><state>hqw</state></job_list>"
        "<job_list><JB_job_number>1236</JB_job_number><state>Eqw</state></job_list>"
        "<job_list><JB_job_number>1237</JB_job_number><state>dr</state></job_list>"
        "</job_info></job_info>",
        {"1234": "running", "1235": "waiting", "1236": "stuck", "1237": "ending"},
    ),
}
ALL = sorted(ANSWERS)
NEEDS = {"mem_mb": 16000, "gpus": 0.5, "gpu_model": "a100", "queue": "long", "account": "lab"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the beginning of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def stand_in(folder: Path, name: str, output: str = "", error: str = "", code: int = 0) -> None:
    """A program that prints this, and notes its arguments and its input beside itself."""
    (folder / f"{name}.output").write_text(output)
    (folder / f"{name}.error").write_text(error)
    (folder / name).write_text(
        "#!/bin/sh\n# A stand-in.\n"
        f'for word in "$@"; do printf "%s\\n" "$word"; done > {folder}/{name}.words\n'
        f"cat > {folder}/{name}.input\ncat {folder}/{name}.output\n"
        f"cat {folder}/{name}.error >&2\nexit {code}\n"
    )
    (folder / name).chmod(0o755)


def needs(resources: dict[str, object], hardware: str | None = None) -> JobRequest:
    script, folder = Path("/my project/job.sh"), Path("/my project")
    return request_for("train.a.1", script, folder, 4, 130, resources, hardware)


@pytest.mark.parametrize("name", ALL)
def test_a_job_is_submitted_and_found_in_the_queue(name: str, programs: Path) -> None:
    scheduler = scheduler_named(name)
    submitted, queue, states = ANSWERS[name]
    stand_in(programs, scheduler.programs[0], submitted)
    assert scheduler.submit(needs(NEEDS)) == "1234"
    stand_in(programs, scheduler.queue()[0], queue)
    assert {key: job.state for key, job in scheduler.jobs().items()} == states


def sent(name: str, resources: dict[str, object], hardware: str | None = None) -> str:
    words, stdin = SCHEDULERS[name].submission(needs(resources, hardware))
    return " ".join(words) + stdin


def test_each_scheduler_gets_what_a_run_needs() -> None:
    """The options are those of the manuals: qsub(1B), bsub, condor_submit and qsub(1)."""
    pbs = sent("pbs", NEEDS)
    assert "-l walltime=02:10:00" in pbs and " -q long -A lab " in pbs
    assert "-l select=1:ncpus=4:mem=16000mb:ngpus=1:gpu_model=a100 /my project/job.sh" in pbs
    lsf = sent("lsf", NEEDS)
    assert " -W 130 -q long -P lab -n 4 -R span[hosts=1] -R rusage[mem=16000MB] " in lsf
    assert lsf.endswith(" -gpu num=1:gmodel=a100 /bin/sh /my project/job.sh")
    condor = sent("htcondor", NEEDS).splitlines()
    for line in (
        "request_cpus = 4",
        "request_memory = 16000",
        "request_gpus = 1",
        'require_gpus = DeviceName == "a100"',
        "accounting_group = lab",
        "periodic_remove = JobStatus == 2 && time() - EnteredCurrentStatus > 7800",
        "arguments = \"'/my project/job.sh'\"",
    ):
        assert line in condor
    engine = sent("gridengine", NEEDS)
    assert "-l h_rt=7800 -q long -P lab -pe smp 4 -l mem_free=16000M -l gpu=1" in engine


@pytest.mark.parametrize("name", ALL)
def test_keys_of_slurm_and_options_of_the_site_are_understood(name: str) -> None:
    slurm = {"slurm_partition": "long", "slurm_account": "lab", **NEEDS}
    del slurm["queue"], slurm["account"]
    assert sent(name, slurm) == sent(name, NEEDS)
    own = sent(name, NEEDS, "mem={mem_mb_per_thread} cpus={threads} gpus={gpus}")
    assert "mem=4000" in own and "cpus=4" in own and "gpus=1" in own
    assert "16000" not in own
    with pytest.raises(SchedulerError, match="unknown 'memory'; it takes"):
        sent(name, NEEDS, "mem={memory}")
    assert "flag=1" in sent(name, {"cluster_extra": "flag=1"})


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_asked_for_that_nobody_named(name: str) -> None:
    words, stdin = SCHEDULERS[name].submission(JobRequest("a", Path("a.sh"), Path("/p")))
    text = " ".join(words) + stdin
    assert not any(word in text for word in ("h_rt", "walltime", "-W ", "periodic", "gpu", "mem"))


@pytest.mark.parametrize("name", ALL)
def test_a_refusal_an_outage_and_a_limit_are_told_apart(name: str, programs: Path) -> None:
    scheduler = scheduler_named(name)
    program = scheduler.programs[0]
    stand_in(programs, program, error="Unknown queue", code=1)
    with pytest.raises(SchedulerError, match=f"{scheduler.title} refuses: Unknown queue") as caught:
        scheduler.submit(needs({}))
    assert not isinstance(caught.value, OutageError)
    outages = {
        "pbs": "Connection refused\nqsub: cannot connect to server pbs (errno=15010)",
        "lsf": "LSF is down. Please wait ...",
        "htcondor": "ERROR: Failed to connect to local queue manager",
        "gridengine": "error: commlib error: got select error (Connection refused)\nUnable to run "
        'job: unable to send message to qmaster using port 6444 on host "h": got send error.',
    }
    stand_in(programs, program, error=outages[name], code=1)
    with pytest.raises(OutageError, match=f"{scheduler.title} doesn't answer"):
        scheduler.submit(needs({}))
    limits = {
        "pbs": "qsub: would exceed complex's per-user limit of jobs in 'Q' state",
        "lsf": "User <user>: Pending job limit reached. Job not submitted.",
        "htcondor": "Number of submitted jobs would exceed MAX_JOBS_PER_OWNER",
        "gridengine": "job rejected: Only 75000 jobs are allowed per user (current job count: 1)",
    }
    stand_in(programs, program, error=limits[name], code=1)
    with pytest.raises(LimitError, match="takes no more jobs for now"):
        scheduler.submit(needs({}))
    stand_in(programs, program, output="something else")
    with pytest.raises(SchedulerError, match="named no job but said: something else"):
        scheduler.submit(needs({}))


def test_a_list_that_breaks_off_is_an_outage(programs: Path) -> None:
    stand_in(programs, "qstat", "<job_info><job_list>")
    with pytest.raises(OutageError, match="its list of jobs can't be read"):
        scheduler_named("gridengine").jobs()


def test_an_empty_queue_is_no_error(programs: Path) -> None:
    stand_in(programs, "bjobs", error="No unfinished job found", code=255)
    assert scheduler_named("lsf").jobs() == {}


def test_a_job_is_found_by_name_where_lists_shorten_names(programs: Path) -> None:
    stand_in(programs, "qselect", "1234.pbs-server\n")
    assert scheduler_named("pbs").find_named("train.a.1") == "1234"
    assert (programs / "qselect.words").read_text().splitlines()[-2:] == ["-N", "train.a.1"]
    stand_in(programs, "bjobs", "7|RUN|other\n8|ZOMBI|train.a.1\n9|PEND|train.a.1\n")
    assert scheduler_named("lsf").find_named("train.a.1") == "9"


def test_cancelling_goes_on_where_a_job_has_ended(programs: Path) -> None:
    stand_in(programs, "qdel", error='denied: job "7" does not exist', code=1)
    scheduler_named("gridengine").cancel_jobs([str(number) for number in range(150)])
    assert (programs / "qdel.words").read_text().split() == [str(n) for n in range(100, 150)]


def test_a_missing_program_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SchedulerError, match="there is no bjobs here; work on a node from which"):
        scheduler_named("lsf").jobs()


def test_an_unknown_scheduler_is_named() -> None:
    with pytest.raises(SchedulerError, match="there is no scheduler 'oar'; there are gridengine"):
        scheduler_named("oar")


def test_lines_for_htcondor_are_key_and_value() -> None:
    with pytest.raises(SchedulerError, match="has no line KEY=VALUE"):
        sent("htcondor", {"cluster_extra": "--flag"})


def test_a_queued_job_needs_only_id_and_state() -> None:
    assert QueuedJob("7", "running").reason == ""
