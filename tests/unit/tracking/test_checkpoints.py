"""Checkpoints: whole or not there, with all that a program needs to go on."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from caduceus.data_order import batches
from caduceus.errors import ResultError
from caduceus.tracking import checkpoints
from projects import end_group, wait_for

pytestmark = pytest.mark.slow


def steps(folder: Path) -> list[int]:
    return sorted(int(path.name.partition("-")[0]) for path in folder.glob("*.ckpt"))


def test_the_last_two_are_kept_and_the_last_is_taken(tmp_path: Path) -> None:
    assert checkpoints.load(tmp_path / "none") is None
    for step in (5, 10, 15):
        before = time.time()
        checkpoints.save(tmp_path, step, {"x": np.arange(step)})
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert found.step == 15
    assert found.content["x"].tolist() == list(range(15))
    assert before <= found.saved_at <= time.time()
    assert steps(tmp_path) == [10, 15]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_one_is_passed_over_and_said(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.save(tmp_path, 1, {"x": 1})
    last = checkpoints.save(tmp_path, 2, {"x": 2})
    data = last.read_bytes()
    flipped = data[:20] + bytes([data[20] ^ 1]) + data[21:]
    last.write_bytes({"cut": data[:-1], "flipped": flipped, "empty": b""}[damage])
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert found.content == {"x": 1}
    assert f"{last} is damaged" in capsys.readouterr().err
    assert steps(tmp_path) == [1]


def test_what_a_killed_program_left_is_swept_up(tmp_path: Path) -> None:
    # Each line has it fork a program.
    program = (
        "import os, sys; from pathlib import Path; from caduceus.tracking import checkpoints\n"
        "for _ in sys.stdin:\n"
        "    child = os.fork()\n"
        "    for step in range(0 if child else 10**9):\n"
        "        checkpoints.save(Path(sys.argv[1]), step, {'x': bytes(3_000_000)})\n"
        "    print(child, flush=True)\n"
        "    print(os.waitpid(child, 0)[1], flush=True)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    forks = subprocess.Popen(words, **pipes, text=True, start_new_session=True)
    assert forks.stdin and forks.stdout
    try:
        for _ in range(5):
            before = set(tmp_path.iterdir())
            print(file=forks.stdin, flush=True)
            child = int(forks.stdout.readline())
            wait_for(lambda before=before: set(tmp_path.iterdir()) - before)
            time.sleep(random.uniform(0, 0.05))  # any moment will do: none may lose a checkpoint
            os.kill(child, signal.SIGKILL)
            assert int(forks.stdout.readline()) == signal.SIGKILL
            if found := checkpoints.load(tmp_path):
                assert found.content == {"x": bytes(3_000_000)}
    finally:
        end_group(forks.pid)
        forks.communicate()
    checkpoints.save(tmp_path, 10**6, {})
    assert not list(tmp_path.glob(".*"))


def test_one_that_the_program_cannot_read_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from caduceus.tracking import checkpoints\n"
        "class Own: pass\n"
        "checkpoints.save(Path(sys.argv[1]), 1, {'x': Own()})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    with pytest.raises(ResultError, match=r"can't be read: AttributeError.*delete it"):
        checkpoints.load(tmp_path)


def test_models_optimizers_and_generators_go_on_as_they_were(tmp_path: Path) -> None:
    import torch  # here, for its import costs each of pytest's workers seconds

    def make() -> dict[str, object]:
        model = torch.nn.Linear(3, 1)
        return {
            "model": model,
            "optimizer": torch.optim.Adam(model.parameters(), lr=0.1),
            "torchs": torch.Generator().manual_seed(1),
            "numpys": np.random.default_rng(1),
        }

    def train(made: dict[str, object], count: int) -> list[float]:
        losses = []
        for _ in range(count):
            x = torch.rand(4, 3, generator=made["torchs"]) + torch.rand(1)
            noise = made["numpys"].random() + random.random() + np.random.random()
            loss = (made["model"](x) ** 2).mean() + noise
            made["optimizer"].zero_grad()
            loss.backward()
            made["optimizer"].step()
            losses.append(loss.item())
        return losses

    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    made = make()
    train(made, 3)
    saved = {name: checkpoints.state_of(value) for name, value in made.items()}
    checkpoints.save(tmp_path, 3, {"objects": saved, "random": checkpoints.random_state()})
    expected = train(made, 3)

    fresh = make()
    train(fresh, 2)
    found = checkpoints.load(tmp_path)
    assert found is not None
    checkpoints.set_states(fresh, found.content["objects"])
    checkpoints.set_random_state(found.content["random"])
    assert train(fresh, 3) == expected


def test_an_object_that_was_not_saved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADUCEUS_CHECKPOINT_DIR", "checkpoints")
    with pytest.raises(ResultError, match="checkpoints: the last checkpoint holds no 'b', but a"):
        checkpoints.set_states({"b": np.random.default_rng(0)}, {"a": {}})


def test_an_object_without_a_state_is_refused() -> None:
    with pytest.raises(TypeError, match="int has no state_dict"):
        checkpoints.state_of(3)


@pytest.mark.parametrize("size", [1, 4, 5, 10, 11])
def test_batches_go_on_where_they_were(size: int) -> None:
    whole = batches(10, size, seed=3)
    expected = [next(whole) for _ in range(30)]
    for begin in (0, 1, 7, 12):
        later = batches(10, size, seed=3, begin=begin)
        assert [next(later) for _ in range(30 - begin)] == expected[begin:]
    a_epoch = -(-10 // size)
    for first in (0, a_epoch):
        epoch = expected[first : first + a_epoch]
        assert sorted(example for batch in epoch for example in batch) == list(range(10))
    assert expected[:a_epoch] != expected[a_epoch : 2 * a_epoch]
