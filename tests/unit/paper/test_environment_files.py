"""What an archive states of the environments that experiments name."""

import json
from pathlib import Path
from types import SimpleNamespace

from caduceus.paper.archive.environment_files import STATEMENT, environment_files
from caduceus.runs.environments import record_path
from caduceus.runs.files.environment import EnvironmentSpec


def test_an_interpreter_keeps_its_path_beside_its_version(tmp_path: Path) -> None:
    spec = EnvironmentSpec("python", ".venv/bin/python")
    record = {
        **{"kind": spec.kind, "path": spec.path, "sha256": "1a", "python": "3.12.1"},
        **{"wandb": "0.31.0", "interpreter": "/home/jo/.venv/bin/python"},
        **{"prefix": "/home/jo/.venv", "watched": "/home/jo/.venv/lib", "mtime_ns": 1, "size": 2},
        "packages": {"wandb": "0.31.0"},
    }
    path = record_path(spec, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    [(name, content)] = environment_files(SimpleNamespace(environments={"toy": spec}), tmp_path)
    [stated] = json.loads(content)
    assert name == STATEMENT
    assert (stated["python"], stated["python_version"]) == (".venv/bin/python", "3.12.1")
    assert b"/home/jo" not in content
