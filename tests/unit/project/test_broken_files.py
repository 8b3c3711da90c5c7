"""Whatever stands in a user's file, it is read, or refused in one line, within seconds."""

import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import yaml
from broken_yaml import broken
from caduceus.errors import CaduceusError
from caduceus.io.files import canonical_json
from caduceus.io.yaml_files import load
from caduceus.project.identity import identity
from caduceus.project.project import load_project
from projects import Project

SWEEP = """\
program: experiments/train.py
method: bayes
metric: {name: val/loss, goal: minimize}
parameters:
  rate: {min: 0.0, max: 1.0}
  nested:
    parameters:
      deep: {values: [1, 2, 3]}
early_terminate: {type: hyperband, min_iter: 3}
run_cap: 20
"""
TUNE = """\
id: tune
type: sweep
seeds: [0, 1]
sweep:
  config: experiments/sweep.yaml
  count: 4
  confirm: 1
"""
TOY = """\
id: toy
type: baseline
hypothesis: A lower rate is better.
dataset: {name: points, path: data/points.csv, version: 1}
program: experiments/train.py
command: ["${interpreter}", "${program}", "${args}", "--x=${param:width}"]
parameters:
  width: 4
  schedule: {0: 0.1, 1000: 0.01}
matrix:
  rate: [1e-1, 0.2]
  deep: [true, false]
exclude:
  - {rate: 0.2, deep: true}
variants:
  wide: {width: 9, rate: 0.1}
baseline: {rate: 0.1}
seeds: [0, 1]
seed_argument: model.seed
metric: {name: val/accuracy, goal: maximize}
resources: {threads: 1, runtime: 5}
"""
CONFIG = """\
experiments: [experiments/toy.yaml, experiments/tune.yaml]
wandb:
  project: tests
  groups: {baseline: a, sweep: b}
  artifact_types: {notes: prose}
defaults:
  momentum: 0.9
paper: paper.yaml
retries: 1
"""
PAPER = """\
tables:
  accuracy:
    experiments: [toy]
    metrics:
      at 10: {name: val/accuracy, at: 10}
      best: {name: val/accuracy, best_by: {name: val/loss, goal: minimize}}
    goal: maximize
    published:
      - {parameters: {rate: 0.1, deep: true}, value: 32, interval: 1}
      - {label: human, value: 96}
    source: A paper
figures:
  curves:
    kind: curves
    metrics: {loss: val/loss}
  gains:
    kind: differences
    metrics: {accuracy: val/accuracy}
    baseline: {deep: true}
claims:
  better:
    statement: A lower rate is better.
    compare:
      better: {rate: 0.1, deep: true}
      worse: {rate: 0.1, deep: false}
      metric: val/accuracy
      margin: 0.1
statistics: {confidence: 0.9}
"""
FILES = {
    "config.yaml": CONFIG,
    "experiments/toy.yaml": TOY,
    "experiments/tune.yaml": TUNE,
    "experiments/sweep.yaml": SWEEP,
    "paper.yaml": PAPER,
}


def read(project: Project) -> None:
    """All that a start of Snakemake reads, and what the rules get of it."""
    path = project.path / "config.yaml"
    load(path, "config.yaml")
    config = yaml.load(path.read_text(), yaml.CSafeLoader)  # as Snakemake has it
    found = load_project(config, [str(path)], project.path)
    for experiment in found.experiments.values():
        canonical_json(experiment.plan.to_json())
        for run in experiment.runs[:3]:
            canonical_json(run.definition.to_json())
            canonical_json(identity(experiment, run, found.settings.wandb).to_json())


@pytest.fixture
def whole(project: Project) -> Project:
    for name, text in FILES.items():
        project.write(name, text)
    read(project)
    return project


def check(project: Project, name: str, content: bytes) -> str:
    """How the project is read with this file: `read`, or the error without its place."""
    path = project.path / name
    path.write_bytes(content)
    start = time.process_time()
    try:
        read(project)
        message = "read"
    except CaduceusError as error:
        message = str(error)
    assert "\n" not in message and len(message) < 2_000, message
    assert time.process_time() - start < 10, message
    path.write_text(FILES[name])
    return message


@pytest.mark.slow
@pytest.mark.parametrize("times", [80, pytest.param(20_000, marks=pytest.mark.soak)])
def test_whatever_is_broken_in_a_file_is_refused_in_one_line(
    whole: Project, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.chdir(whole.path)
    places: Counter[str] = Counter()
    for seed in range(times):
        rng = Random(seed)
        name = rng.choice(list(FILES))
        content = broken(FILES[name], rng)
        try:
            message = check(whole, name, content)
        except Exception as error:
            Path("broken").write_bytes(content)
            error.add_note(f"seed {seed}: {name}:\n{content[:2_000].decode(errors='replace')}")
            raise
        places[message.partition(":")[0].rpartition("/")[2]] += 1
    read(whole)
    assert places["read"] < 0.9 * times and len(places) > len(FILES)  # most is refused, everywhere
