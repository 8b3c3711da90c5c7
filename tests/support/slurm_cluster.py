"""A real SLURM cluster of one node, on loopback, for as long as tests need it.

The daemons are those of the distribution. They run from a folder of their own without systemd, are
found again by their pid files, and only /etc/slurm/slurm.conf is outside: SLURM drops SLURM_CONF on
the way into a job, so that the programs inside look nowhere else.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from daemons import end_daemon, free_ports, pid_of, wait_until
from debian_packages import PATH, UnavailableError, install

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
PACKAGES = ("slurm-wlm", "munge")
LINKS = Path("/etc/slurm")
CONFIGURATION = """\
ClusterName=caduceus
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that is put back starts again once its credentials have expired: 2 minutes by default.
AuthInfo=socket={root}/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
EnforcePartLimits=ALL
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=60
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=16000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=1-0 DefaultTime=10 DefMemPerCPU=500 State=UP
PartitionName=long Nodes={host} MaxTime=7-0 DefaultTime=60 DefMemPerCPU=500 State=UP
"""


class SlurmCluster:
    """`with SlurmCluster() as cluster` starts one and ends it."""

    def __init__(self, cpus: int = 4):
        self.cpus = cpus
        self.host = socket.gethostname().partition(".")[0]
        self.root = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.root.chmod(0o755)  # munge wants nobody else to be able to write above its socket
        (self.root / "owner.pid").write_text(str(os.getpid()))

    def __enter__(self) -> "SlurmCluster":
        try:
            install(PROGRAMS, PACKAGES)
            if os.geteuid() != 0:
                raise UnavailableError("only root can start a node of SLURM")
            self._configure()
            self._begin("munged", f"--socket={self.root}/munge.socket", *self._munge_files())
            self._await("munged", "munge", "-S", f"{self.root}/munge.socket", "-n")
            self.start_controller()
            self._begin("slurmd")
            self._await("slurmd", "srun", "-n1", "--mem=10", "-t1", "true")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if pid_of(self.root, "slurmctld"):
            self.cancel_all()
        _end(self.root)

    def start_controller(self) -> None:
        self._begin("slurmctld")
        self._await("slurmctld", "sinfo")

    def stop_controller(self) -> None:
        end_daemon(self.root, "slurmctld")

    def ask(self, *words: str) -> str:
        """What one of SLURM's programs prints."""
        finished = subprocess.run(words, capture_output=True, text=True, timeout=1200)
        assert finished.returncode == 0, (words, finished.stderr)
        return finished.stdout.strip()

    def jobs(self, states: str = "all") -> list[tuple[str, str, str]]:
        """Id, name and state of each job, the oldest first."""
        lines = self.ask("squeue", "-h", "-S", "i", "-t", states, "-o", "%i|%j|%T").splitlines()
        return [tuple(line.split("|")) for line in lines]

    def cancel_all(self) -> None:
        if running := [job for job, _, _ in self.jobs("PD,R,S,CF")]:
            self.ask("scancel", *running)
        wait_until(lambda: not self.jobs("PD,R,S,CF,CG"), "no job is left")

    def _configure(self) -> None:
        if not LINKS.is_dir():
            raise UnavailableError(f"there is no folder {LINKS}")
        if not socket.gethostbyname(self.host).startswith("127."):
            raise UnavailableError(f"{self.host} isn't an address of this machine's loopback")
        for name in ("state", "spool"):
            (self.root / name).mkdir()
        (self.root / "munge.key").write_bytes(secrets.token_bytes(1024))
        (self.root / "munge.key").chmod(0o600)
        for number in (0, 1):
            (self.root / f"gpu{number}").touch()
        controller_port, node_port = free_ports(2)
        (self.root / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=self.host,
                root=self.root,
                cpus=self.cpus,
                controller_port=controller_port,
                node_port=node_port,
            )
        )
        (self.root / "gres.conf").write_text(
            f"NodeName={self.host} Name=gpu File={self.root}/gpu[0-1]\n"
        )
        for name in ("slurm.conf", "gres.conf"):
            link = LINKS / name
            if link.is_symlink() and not _has_owner(link.readlink().parent):
                _end(link.readlink().parent)  # of tests that were killed
            if link.is_symlink() or link.exists():
                raise UnavailableError(f"{link} belongs to another cluster")
            link.symlink_to(self.root / name)

    def _munge_files(self) -> list[str]:
        files = {"key": "munge.key", "pid": "munged.pid", "log": "munged.log", "seed": "munge.seed"}
        return [f"--{kind}-file={self.root / name}" for kind, name in files.items()]

    def _begin(self, program: str, *options: str) -> None:
        # Each goes into the background by itself, and writes its pid file.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}
        path = shutil.which(program, path=PATH) or program
        with (self.root / f"{program}.out").open("ab") as console:
            subprocess.run(
                [path, *options],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                timeout=1200,
            )

    def _await(self, program: str, *words: str) -> None:
        def answers() -> bool:
            return subprocess.run(words, capture_output=True, timeout=1200).returncode == 0

        try:
            wait_until(answers, f"{program} answers", 600)
        except AssertionError as error:
            logs = (self.root / name for name in (f"{program}.out", f"{program}.log"))
            texts = [path.read_text()[-1000:] for path in logs if path.exists()]
            raise UnavailableError(f"{error}: {texts}") from None


def _has_owner(root: Path) -> bool:
    """Whether the tests that started a cluster still run; of one that isn't ours, yes."""
    try:
        owner = int((root / "owner.pid").read_text())
    except (OSError, ValueError):
        return root.exists()
    return Path(f"/proc/{owner}").exists()


def _end(root: Path) -> None:
    for program in ("slurmd", "slurmctld", "munged"):
        end_daemon(root, program)
    for name in ("slurm.conf", "gres.conf"):
        link = LINKS / name
        if link.is_symlink() and link.readlink() == root / name:
            link.unlink()
    shutil.rmtree(root, ignore_errors=True)
