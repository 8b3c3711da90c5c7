"""Experiment and paper of a new project around a program, filled with guesses or commented out."""

import json
import re

from caduceus.project.guesses import SEEDS, Guesses
from caduceus.project.program_facts import ProgramFacts

# Texts that YAML takes for themselves, and those of that form that it doesn't.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")
_WORDS_OF = {"minimize": "lower", "maximize": "higher"}  # what a better value is
_COMMANDS = {  # of programs that don't take --name=value
    "hydra": '["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"]',
    "settings": '["${env}", "${interpreter}", "${program}"]',
}
_EXPERIMENT = """\
# yaml-language-server: $schema=../.schemas/experiment.json
# Your program as it is. What stands here was guessed from its code, without running it: check it.
id: first
type: baseline
{hypothesis}
program: {program}
{environment}{command}
# {passed} A list under
# `matrix` runs the program with each of its values.
parameters: {{}}{required}
{matrix}
# One run for each seed. Fewer than six can't decide anything in pairs.
{seeds}
# The program logs it; tables, curves and claims show it.
{metric}
# Each run reserves these. It sees no GPU unless it asks for one.
# resources: {{ gpus: 1, threads: 4, mem_mb: 16000 }}
"""
_ENVIRONMENT = """\
# uv.lock is there and has wandb, so runs use its packages. Without this line they use Caduceus's.
environment: {{ uv: {} }}
"""
_GUESSED = """\
# Guessed from the program's code, and a beginning only: replace it by what your paper shows.
"""
_PAPER = """\
paper:
  tables:
    results:
      metrics: {{ {metric}: {metric} }}
  figures:
    learning_curves:
      kind: curves
      metrics: {{ {metric}: {metric} }}
"""
_CLAIM = """\
  claims:
    first:
      statement: {statement}
      compare:
        better: {{ {name}: {better} }}
        worse: {{ {name}: {worse} }}
        metric: {metric}
"""


def yaml_word(text: str) -> str:
    """Return a text as YAML has it, in quotes if it could be taken for something else."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def experiment_text(
    program: str, facts: ProgramFacts, guesses: Guesses, uv_project: str | None = None
) -> str:
    """Return the experiment file of a program; what couldn't be guessed is a comment.

    Args:
        program: its path from the project's folder.
        facts: what its code says.
        guesses: what was guessed from that.
        uv_project: the folder of the uv project that has the program's packages; None for none.
    """
    kind = "settings" if facts.style == "none" and facts.settings else facts.style
    command = (
        f"command: {_COMMANDS[kind]}"
        if kind in _COMMANDS
        else (f"# If it takes other arguments, or none:\n# command: {_COMMANDS['hydra']}")
    )
    passed = "Each becomes an argument, --name=value, and stands in wandb.config."
    if kind == "settings":
        passed = "Each stands in wandb.config, whatever wandb.init is given."
    required = f" # it requires {', '.join(facts.required)}" if facts.required else ""
    return _EXPERIMENT.format(
        hypothesis=_hypothesis(guesses),
        program=yaml_word(program),
        environment=_ENVIRONMENT.format(yaml_word(uv_project)) if uv_project else "",
        command=command,
        passed=passed,
        required=required,
        matrix=_matrix(guesses),
        seeds=_seeds(facts, guesses),
        metric=_metric(guesses),
    )


def paper_text(guesses: Guesses, experiment: str) -> str:
    """Return `paper` of the configuration; what couldn't be guessed is a comment.

    Args:
        guesses: what was guessed.
        experiment: the path of the experiment file.
    """
    if guesses.metric is None:
        paper = (
            "# No metric could be guessed from the program's code. To get a table and curves, set\n"
            f"# `metric` in {experiment}, write its name in place of METRIC, and\n"
            "# remove the first # of each line.\n" + _commented(_PAPER.format(metric="METRIC"))
        )
        claim = _commented(_claim(guesses, "METRIC", "better"))
    else:
        name, goal = guesses.metric
        metric = yaml_word(name)
        paper = _GUESSED + _PAPER.format(metric=metric)
        claim = _claim(guesses, metric, _WORDS_OF[goal])
        if not guesses.has_curve:
            start = paper.index("  figures:")
            note = f"# {name} is only set in the summary: name a metric with a curve.\n"
            paper = paper[:start] + note + _commented(paper[start:])
    if guesses.parameter is None:
        claim = (
            "# A claim compares variants: list values of a parameter under `matrix` in\n"
            f"# {experiment}, name it here with two of them, and remove the first #\n"
            "# of each line.\n" + (claim if guesses.metric is None else _commented(claim))
        )
    return paper + claim


def _hypothesis(guesses: Guesses) -> str:
    """Return what the experiment expects: the sentence of the claim, where one was guessed."""
    if guesses.metric is None or guesses.parameter is None:
        return "# hypothesis: What you expect, in a sentence."
    name, goal = guesses.metric
    sentence = json.dumps(_statement(guesses.parameter, name, _WORDS_OF[goal]), ensure_ascii=False)
    return f"# What you expect, in a sentence.\nhypothesis: {sentence}"


def _matrix(guesses: Guesses) -> str:
    if guesses.parameter is None:
        return "# matrix:\n#   lr: [0.1, 0.03]"
    name, default, other = guesses.parameter
    return (
        "# The program's own value and a third of it, for a first comparison.\n"
        f"matrix:\n  {yaml_word(name)}: [{default}, {other}]"
    )


def _seeds(facts: ProgramFacts, guesses: Guesses) -> str:
    if not guesses.takes_seed:
        return (
            f"# The code shows no argument for a seed. If there is one:\n# seeds: {[*SEEDS]}\n"
            "# seed_argument: model.seed # its name, if not seed; null for none: the variable\n"
            "# CADUCEUS_SEED and wandb.config.seed have it too"
        )
    argument = guesses.seed_argument
    if argument == "seed":
        return f"seeds: {[*SEEDS]}"
    name = "null" if argument is None else yaml_word(argument)
    return f"seeds: {[*SEEDS]}\nseed_argument: {name}"


def _metric(guesses: Guesses) -> str:
    if guesses.metric is None:
        return "# metric: { name: METRIC, goal: minimize } # a name that it logs; or maximize"
    name, goal = guesses.metric
    return f"metric: {{ name: {yaml_word(name)}, goal: {goal} }}"


def _claim(guesses: Guesses, metric: str, word: str) -> str:
    name, better, worse = parameter = guesses.parameter or ("lr", 0.1, 0.03)
    what = json.loads(metric) if metric.startswith('"') else metric
    return _CLAIM.format(
        statement=json.dumps(_statement(parameter, what, word), ensure_ascii=False),
        name=yaml_word(name),
        better=better,
        worse=worse,
        metric=metric,
    )


def _statement(parameter: tuple[str, float, float], metric: str, word: str) -> str:
    name, better, worse = parameter
    return f"With {name} {better}, {metric} is {word} than with {worse}."


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())
