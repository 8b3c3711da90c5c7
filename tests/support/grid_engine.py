"""A real Grid Engine of one node, for as long as tests need it.

The daemons are those of the distribution. They run from a folder of their own without systemd, and
are found again by their pid files. Grid Engine's programs find them by variables, which
`with GridEngine()` sets in this process.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from daemons import end_daemon, free_ports, pid_of, wait_until
from debian_packages import PATH, UnavailableError, install

PROGRAMS = ("sge_qmaster", "sge_execd", "qsub", "qstat", "qconf")
PACKAGES = ("gridengine-master", "gridengine-exec", "gridengine-client")
LIBRARY = Path("/usr/lib/gridengine")
SHARED = Path("/usr/share/gridengine")
BOOTSTRAP = """\
admin_user none
default_domain none
ignore_fqdn true
spooling_method berkeleydb
spooling_lib libspoolb
spooling_params {root}/database
binary_path {library}
qmaster_spool_dir {root}/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
"""
# Those of the distribution, with these changed: root may submit, folders are ours.
CONFIGURATION = {
    "execd_spool_dir": "{root}/execd",
    "min_uid": "0",
    "min_gid": "0",
    "mailer": "/bin/true",
}
SCHEDULING = {"schedule_interval": "0:0:2", "flush_submit_sec": "1", "flush_finish_sec": "1"}
PARALLEL_ENVIRONMENT = {
    "pe_name": "smp",
    "slots": "999",
    "user_lists": "NONE",
    "xuser_lists": "NONE",
    "start_proc_args": "NONE",
    "stop_proc_args": "NONE",
    "allocation_rule": "$pe_slots",
    "control_slaves": "FALSE",
    "job_is_first_task": "TRUE",
    "urgency_slots": "min",
    "accounting_summary": "FALSE",
    "qsort_args": "NONE",
}
# Root's jobs have no scheduler's limit but the one that they ask for.
QUEUE = {"hostlist": "{host}", "pe_list": "smp", "slots": "{cpus}", "shell": "/bin/sh"}
QUEUE |= {"rerun": "TRUE", "notify": "00:00:10", "load_thresholds": "NONE"}


class GridEngine:
    """`with GridEngine() as cluster` starts one and ends it."""

    def __init__(self, cpus: int = 4):
        self.cpus = cpus
        self.host = socket.gethostname().partition(".")[0]
        self.root = Path(tempfile.mkdtemp(prefix="gridengine-"))
        self.root.chmod(0o755)
        ports = free_ports(2)
        self._variables = {
            "SGE_ROOT": str(self.root),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(ports[0]),
            "SGE_EXECD_PORT": str(ports[1]),
        }
        self._before = {name: os.environ.get(name) for name in self._variables}

    def __enter__(self) -> "GridEngine":
        try:
            install(PROGRAMS, PACKAGES)
            if os.geteuid() != 0:
                raise UnavailableError("only root can start a node of Grid Engine")
            os.environ.update(self._variables)
            self._make_root()
            self.start_master()
            self._make_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if pid_of(self.root, "sge_qmaster"):
            self.cancel_all()
        for program in ("sge_execd", "sge_qmaster"):
            end_daemon(self.root, program)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self.root, ignore_errors=True)

    def start_master(self) -> None:
        self._begin("sge_qmaster")
        self._await("sge_qmaster", lambda: _call("qconf", "-sh").returncode == 0)

    def stop_master(self) -> None:
        end_daemon(self.root, "sge_qmaster")

    def ask(self, *words: str) -> str:
        """What one of Grid Engine's programs prints."""
        finished = _call(*words)
        assert finished.returncode == 0, (words, finished.stdout, finished.stderr)
        return finished.stdout.strip()

    def jobs(self) -> list[tuple[str, str, str]]:
        """Id, name and state of each job in the queue, the oldest first."""
        words = [line.split() for line in self.ask("qstat", "-r", "-u", "*").splitlines()]
        rows = [word for word in words if word and word[0].isdigit()]
        names = [word[-1] for word in words if word[:2] == ["Full", "jobname:"]]
        return sorted((row[0], name, row[4]) for row, name in zip(rows, names, strict=True))

    def cancel_all(self) -> None:
        _call("qdel", "-f", "-u", "*")
        wait_until(lambda: not self.jobs(), "no job is left")

    def _make_root(self) -> None:
        common = self.root / "default/common"
        for folder in (common, self.root / "database", self.root / "execd"):
            folder.mkdir(parents=True)
        (self.root / "qmaster/job_scripts").mkdir(parents=True)
        for name in ("util", "lib", "bin", "utilbin"):
            (self.root / name).symlink_to(f"/var/lib/gridengine/{name}")
        (common / "act_qmaster").write_text(f"{self.host}\n")
        (common / "host_aliases").write_text(f"{self.host} localhost\n")
        (common / "bootstrap").write_text(BOOTSTRAP.format(root=self.root, library=LIBRARY))
        changed = {key: value.format(root=self.root) for key, value in CONFIGURATION.items()}
        text = (SHARED / "default-configuration").read_text()
        configuration = self._write("configuration", _with(text, changed))
        database = ("berkeleydb", "libspoolb", str(self.root / "database"))
        resources = SHARED / "util/resources"
        for words in (
            ("spoolinit", *database, "init"),
            ("spooldefaults", "configuration", configuration),
            ("spooldefaults", "complexes", str(resources / "centry")),
            ("spooldefaults", "usersets", str(resources / "usersets")),
            ("spooldefaults", "managers", "root"),
        ):
            finished = _call(str(LIBRARY / words[0]), *words[1:])
            if finished.returncode:
                raise UnavailableError(f"{words[0]} failed: {finished.stderr[-300:]}")

    def _make_node(self) -> None:
        """Start the node's daemon, with four CPUs and two GPUs that are made up."""
        _call("qconf", "-ah", self.host)
        _call("qconf", "-as", self.host)
        self._begin("sge_execd")
        self._await("sge_execd", lambda: self.host in _call("qconf", "-sel").stdout)
        environment = "\n".join(f"{key} {value}" for key, value in PARALLEL_ENVIRONMENT.items())
        self.ask("qconf", "-Ap", self._write("pe", environment))
        complexes = self.ask("qconf", "-sc") + "\ngpu gpu INT <= YES YES 0 0\n"
        self.ask("qconf", "-Mc", self._write("complexes", complexes))
        self.ask("qconf", "-rattr", "exechost", "complex_values", "gpu=2", self.host)
        scheduling = _with(self.ask("qconf", "-ssconf"), SCHEDULING)
        self.ask("qconf", "-Msconf", self._write("scheduling", scheduling))
        values = {k: v.format(host=self.host, cpus=self.cpus) for k, v in QUEUE.items()}
        # With `cat` as the editor it prints its template; no queue is added, as it names parallel
        # environments that aren't there.
        template = _call("env", "EDITOR=cat", "qconf", "-aq", "template").stdout
        for name in ("main", "long"):
            self.ask("qconf", "-Aq", self._write(name, _with(template, values | {"qname": name})))
        job = ("qsub", "-sync", "y", "-b", "y", "-o", "/dev/null", "-j", "y", "true")
        self._await("sge_execd", lambda: _call(*job).returncode == 0)

    def _write(self, name: str, text: str) -> str:
        path = self.root / f"{name}.txt"
        path.write_text(text.rstrip("\n") + "\n")
        return str(path)

    def _begin(self, program: str) -> None:
        # Each goes into the background by itself, and writes its pid file.
        names = {"sge_qmaster": "SGE_QMASTER_PIDFILE", "sge_execd": "SGE_EXECD_PIDFILE"}
        environment = os.environ | {names[program]: str(self.root / f"{program}.pid")}
        with (self.root / f"{program}.out").open("ab") as console:
            subprocess.run(
                [LIBRARY / program],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                timeout=600,
            )

    def _await(self, program: str, condition: Callable[[], object]) -> None:
        try:
            wait_until(condition, f"{program} answers", 600)
        except AssertionError as error:
            texts = [path.read_text()[-1000:] for path in self.root.rglob("messages")]
            raise UnavailableError(f"{error}: {texts}") from None


def _call(*words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PATH": PATH}
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)


def _with(text: str, values: dict[str, str]) -> str:
    """A configuration of Grid Engine, a key and its value in each line, with values changed."""
    lines = []
    for line in text.splitlines():
        key = line.split()[0] if line.split() else ""
        lines.append(f"{key} {values[key]}" if key in values else line)
    return "\n".join(lines)
