"""A sweep's configuration: W&B's own is taken unchanged, and what is wrong is said in one line."""

import textwrap
from pathlib import Path

import pytest
from caduceus.errors import SpecError
from caduceus.io.yaml_files import load
from caduceus.sweeps.configs import SweepConfig, read_config
from caduceus.sweeps.distributions import Categorical, Constant, Distribution, IntUniform, Quantized
from caduceus.sweeps.hyperband import HyperbandSettings
from caduceus.sweeps.ranges import LogUniform, Uniform
from written_sweeps import QUICKSTART, WHOLE


def read(tmp_path: Path, text: str) -> SweepConfig:
    (tmp_path / "s.yaml").write_text(text)
    source = load(tmp_path / "s.yaml", "s.yaml")
    return read_config(source.value, source.where)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def distributions(config: SweepConfig) -> dict[str, Distribution]:
    return {parameter.name: parameter.distribution for parameter in config.space.parameters}


def test_the_quickstart_of_wandb_is_read_as_written(tmp_path: Path) -> None:
    config = read(tmp_path, QUICKSTART)

    assert (config.method, config.metric_name, config.goal) == ("bayes", "val/accuracy", "maximize")
    assert distributions(config) == {
        "learning_rate": LogUniform(1e-5, 1e-2),
        "batch_size": Categorical((16, 32, 64, 128)),
        "optimizer": Categorical(("adam", "sgd", "rmsprop")),
        "dropout": Uniform(0, 0.5),
    }
    assert config.program == "train.py"
    assert (config.target, config.run_cap, config.early_terminate) == (None, None, None)


def test_the_quickstart_without_distributions(tmp_path: Path) -> None:
    lines = QUICKSTART.splitlines(keepends=True)
    config = read(tmp_path, "".join(line for line in lines if "distribution" not in line))

    assert distributions(config)["learning_rate"] == Uniform(1e-5, 1e-2)
    assert distributions(config)["dropout"] == Uniform(0, 0.5)


def test_every_key_of_wandb_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE)

    assert config.early_terminate == HyperbandSettings(None, 27, 2, 4, False)
    assert [type(number) for number in (config.early_terminate.s, config.run_cap)] == [int, int]
    assert config.command == (
        *("${env}", "python3", "${program}", "${args_no_hyphens}", "${envvar:HOME}"),
        3,
    )
    assert (config.name, config.description) == ("wide", "notes")
    assert (config.project, config.entity) == ("digits", "team")
    assert (config.goal, config.target, config.run_cap, config.impute) == (
        *("minimize", 0.1, 20),
        "best",
    )
    assert distributions(config) == {
        "epochs": Constant(10),
        "optimizer.name": Categorical(("adam", "sgd")),
        "optimizer.momentum": Uniform(0, 0.9),
        "layers": IntUniform(1, 3),
        "units": Quantized(Uniform(16, 64), 16),
    }


def test_defaults_are_those_of_wandb(tmp_path: Path) -> None:
    text = "method: grid\nparameters: {a: {values: [1]}}\n"
    config = read(tmp_path, text)
    assert (config.metric_name, config.goal, config.impute) == (None, "minimize", "worst")
    config = read(
        tmp_path, text + "metric: {name: m}\nearly_terminate: {type: hyperband, min_iter: 3}"
    )
    assert config.early_terminate == HyperbandSettings(min_iter=3, eta=3, strict=True)


KINDS = (
    "constant, categorical, categorical_w_probabilities, int_uniform, uniform, "
    "q_uniform, log_uniform, log_uniform_values, q_log_uniform, q_log_uniform_values, "
    "inv_log_uniform, inv_log_uniform_values, normal, q_normal, log_normal, "
    "q_log_normal, beta, q_beta"
)
PARAMETER_KEYS = (
    "distribution, value, values, probabilities, min, max, parameters, mu, sigma, a, b, q"
)
TOP_KEYS = (
    "method, metric, parameters, early_terminate, run_cap, program, command, name, "
    "description, project, entity, controller, kind, apiVersion"
)
RANGES = (
    "int_uniform, uniform, q_uniform, log_uniform, log_uniform_values, q_log_uniform, "
    "q_log_uniform_values, inv_log_uniform, inv_log_uniform_values"
)
EXAMPLE = "{value: 1}, {values: [1, 2]} or {min: 0.0, max: 1.0}"
MACROS = (
    "${env}, ${interpreter}, ${program}, ${args}, ${args_no_equals}, ${args_no_hyphens}, "
    "${args_no_boolean_flags}, ${args_append_hydra}, ${args_override_hydra}, "
    "${args_json}, ${args_json_file}, each a word of its own, and anywhere in a word "
    "${seed}, ${run_id}, ${output_dir}, ${checkpoint_dir}, ${param:NAME}, ${envvar:NAME}"
)

# What stands from line 3 on, below `parameters`, and what is said of it.
PARAMETERS = {
    "lr:\nmin: 0\nmax: 1": (
        "4: parameters.min: found 0, but it is a key of a parameter: indent it below 'lr'"
    ),
    "lr:\n  min: 0\nmax: 1": (
        "5: parameters.max: found 1, but it is a key of a parameter: indent it below 'lr'"
    ),
    "min: 0\nmax: 1": (
        "3: parameters.min: found 0, but it is a key of a parameter: indent it below a "
        "parameter, such as learning_rate"
    ),
    "values: [1, 2]": (
        "3: parameters.values: found [1, 2], but it is a key of a parameter: indent it below a "
        "parameter, such as learning_rate"
    ),
    "lr:\n  distribution: beta\na: 2": (
        "5: parameters.a: found 2, allowed: a mapping; write {value: 2}, or indent it below "
        "'lr' if it is a key of that"
    ),
    "lr: {min: 0, max: 1}\ndistribution: uniform": (
        '4: parameters.distribution: found "uniform", but it is a key of a parameter: indent '
        "it below 'lr'"
    ),
    "lr:\n  min: 0.0\n  max: 1\n  size:\n    values: [1]": (
        "6: parameters.lr.size: is indented below 'lr', which has min, max: give it the "
        "indentation of 'lr'"
    ),
    "optimizer:\n  lr: {min: 0, max: 1}": (
        "4: parameters.optimizer.lr: nested parameters need a key `parameters` above them: "
        "write optimizer: {parameters: {lr: ...}}"
    ),
    "optimizer:\n  paramters:\n    lr: {min: 0, max: 1}": (
        ("4: unknown key 'parameters.optimizer.paramters', did you mean 'parameters'?; allowed: ")
        + PARAMETER_KEYS
    ),
    "optimizer:\n  parameters:\n    lr: {value: 1}\n  name: {value: adam}": (
        "6: parameters.optimizer.name: is beside the nested `parameters` of 'optimizer': "
        "indent it below them if it is one of them, else remove it"
    ),
    "optimizer:\n  value: 1\n  parameters:\n    lr: {value: 1}": (
        "4: parameters.optimizer.value: is beside the nested `parameters` of 'optimizer': "
        "indent it below them if it is one of them, else remove it"
    ),
    "optimizer:\n  parameters:\n  lr: {value: 1}": (
        "5: parameters.optimizer.lr: is beside the nested `parameters` of 'optimizer': indent "
        "it below them if it is one of them, else remove it"
    ),
    "optimizer:\n  parameters: [lr]": (
        (
            '4: parameters.optimizer.parameters: found ["lr"], allowed: parameters by name, each '
            "a mapping such as "
        )
        + EXAMPLE
    ),
    "parameters:\n  lr: {min: 0, max: 1}": (
        "3: parameters.parameters: `parameters` below `parameters`: remove one"
    ),
    "metric: {name: loss, goal: minimize}": (
        "3: parameters.metric: belongs beside `parameters`, not below it: remove its indentation"
    ),
    "early_terminate:\n  type: hyperband\n  min_iter: 3": (
        "3: parameters.early_terminate: belongs beside `parameters`, not below it: remove its "
        "indentation"
    ),
    "lr: {value: 1}\nmethod: bayes": (
        '4: parameters.method: found "bayes", allowed: a mapping; write {value: "bayes"}, or '
        "remove its indentation if it is the sweep's"
    ),
    "lr: {value: 1}\nrun_cap: 3": (
        "4: parameters.run_cap: found 3, allowed: a mapping; write {value: 3}, or remove its "
        "indentation if it is the sweep's"
    ),
    "sizes: [16, 32]": (
        "3: parameters.sizes: found [16, 32], allowed: a mapping; write {values: [16, 32]}"
    ),
    "lr: 0.1": ("3: parameters.lr: found 0.1, allowed: a mapping; write {value: 0.1}"),
    "opt: adam": ('3: parameters.opt: found "adam", allowed: a mapping; write {value: "adam"}'),
    "lr:": (
        "3: parameters.lr: found null, allowed: a mapping such as "
        + EXAMPLE
        + ", indented below it"
    ),
    "lr: {}": ("3: parameters.lr: found {}, allowed: a mapping such as " + EXAMPLE),
    "{}": (
        "2: parameters: found {}, allowed: parameters by name, each a mapping such as " + EXAMPLE
    ),
    "[lr]": (
        '2: parameters: found ["lr"], allowed: parameters by name, each a mapping such as '
        + EXAMPLE
    ),
    "lr: {mim: 0, max: 1}": (
        "3: unknown key 'parameters.lr.mim', did you mean 'min'?; allowed: " + PARAMETER_KEYS
    ),
    "lr: {vals: [1, 2]}": (
        "3: unknown key 'parameters.lr.vals', did you mean 'values'?; allowed: " + PARAMETER_KEYS
    ),
    "lr: {distributoin: uniform, min: 0, max: 1}": (
        "3: unknown key 'parameters.lr.distributoin', did you mean 'distribution'?; allowed: "
        + PARAMETER_KEYS
    ),
    "lr: {distribution: log_unifrom, min: 1, max: 2}": (
        (
            "3: parameters.lr.distribution: found \"log_unifrom\", did you mean 'log_uniform'?; "
            "allowed: "
        )
        + KINDS
    ),
    "lr: {distribution: 3, min: 1, max: 2}": (
        "3: parameters.lr.distribution: found 3, allowed: " + KINDS
    ),
    "lr: {distribution: normal, min: 0, max: 1}": (
        "3: parameters.lr.min: distribution normal has only mu, sigma; min, max are keys of "
        + RANGES
    ),
    "lr: {min: 0.0, max: 1, q: 0.1}": (
        "3: parameters.lr.q: distribution uniform, the default for these keys, has only min, "
        "max; min, max, q are keys of q_uniform, q_log_uniform, q_log_uniform_values"
    ),
    "lr: {values: [1, 2], distribution: categorical, probabilities: [0.5, 0.5]}": (
        "3: parameters.lr.probabilities: distribution categorical has only values; values, "
        "probabilities are keys of categorical_w_probabilities"
    ),
    "lr: {value: 1, values: [1, 2]}": (
        "3: parameters.lr.values: distribution constant, the default for these keys, has only "
        "value; no distribution has all of value, values: remove one"
    ),
    "lr: {mu: 0}": (
        "3: missing key 'distribution' in 'parameters.lr': add it; mu is a key of normal, "
        "q_normal, log_normal, q_log_normal"
    ),
    "lr: {q: 1}": (
        "3: missing key 'distribution' in 'parameters.lr': add it; q is a key of q_uniform, "
        "q_log_uniform, q_log_uniform_values, q_normal, q_log_normal, q_beta"
    ),
    "lr: {probabilities: [1]}": (
        "3: missing key 'values' in 'parameters.lr': add it, a list of values"
    ),
    "lr: {min: 0}": ("3: missing key 'max' in 'parameters.lr': add it, the upper bound"),
    "lr: {distribution: uniform, max: 0}": (
        "3: missing key 'min' in 'parameters.lr': add it, the lower bound"
    ),
    "lr: {distribution: categorical_w_probabilities, values: [1]}": (
        "3: missing key 'probabilities' in 'parameters.lr': add it, a list with a "
        "probability for each value"
    ),
    "lr: {distribution: constant}": (
        "3: missing key 'value' in 'parameters.lr': add it, the one value"
    ),
    "lr: {values: 3}": ("3: parameters.lr.values: found 3, allowed: a list of values; write [3]"),
    "lr: {values: []}": ("3: parameters.lr.values: found [], allowed: a list of values"),
    "day: {values: [2024-01-01]}": ("3: parameters.day.values[0]: found a date; put it in quotes"),
    "day: {value: 2024-01-01}": ("3: parameters.day.value: found a date; put it in quotes"),
    "a: {values: [1, 2], probabilities: [0.5]}": (
        "3: parameters.a.probabilities: found 1 for 2 values; write one for each"
    ),
    "a: {values: [1, 2], probabilities: [0.5, 0.6]}": (
        "3: parameters.a.probabilities: found a sum of 1.1, allowed: a sum of 1"
    ),
    "a: {values: [1, 2], probabilities: [-0.5, 1.5]}": (
        "3: parameters.a.probabilities[0]: found -0.5, allowed: a number from 0 to 1"
    ),
    "a: {values: [1, 2], probabilities: 0.5}": (
        "3: parameters.a.probabilities: found 0.5, allowed: a list of numbers"
    ),
    "a: {min: 1, max: 1}": ("3: parameters.a: found min and max 1; write {value: 1}"),
    "a: {min: 2, max: 1}": ("3: parameters.a: found min 2 above max 1; exchange them"),
    "a: {min: '1', max: 2}": ('3: parameters.a.min: found "1", allowed: a number'),
    "a: {min: null, max: 2}": ("3: parameters.a.min: found null, allowed: a number"),
    "a: {min: -.inf, max: 2.0}": (
        "3: parameters.a.min: found -Infinity, allowed: a number between -1e+300 and 1e+300"
    ),
    "a: {distribution: int_uniform, min: 0.5, max: 2}": (
        "3: parameters.a.min: found 0.5, allowed: a whole number (distribution uniform takes "
        "any number)"
    ),
    "a: {distribution: q_uniform, min: 0, max: 2, q: 0}": (
        "3: parameters.a.q: found 0, allowed: a number above 0"
    ),
    "a: {distribution: log_uniform_values, min: 0, max: 1}": (
        "3: parameters.a.min: found 0, allowed: a number above 0"
    ),
    "a: {distribution: q_log_uniform_values, min: -1, max: 1}": (
        "3: parameters.a.min: found -1, allowed: a number above 0"
    ),
    "a: {distribution: log_uniform, min: 1e-5, max: 1e-2}": (
        "3: parameters.a: log_uniform takes exponents of e, and would give e**1e-05 to "
        "e**0.01; for values from 1e-05 to 0.01 write distribution: log_uniform_values"
    ),
    "a: {distribution: q_log_uniform, min: 16, max: 1024}": (
        "3: parameters.a: q_log_uniform takes exponents of e, and would give e**16 to e**1024; "
        "for values from 16 to 1024 write distribution: q_log_uniform_values"
    ),
    "a: {distribution: inv_log_uniform, min: 1e-5, max: 1e-2}": (
        "3: parameters.a: inv_log_uniform takes exponents of e, and would give e**1e-05 to "
        "e**0.01; for values from 1e-05 to 0.01 write distribution: inv_log_uniform_values"
    ),
    "a: {distribution: normal, sigma: 0}": (
        "3: parameters.a.sigma: found 0, allowed: a number above 0"
    ),
    "a: {distribution: log_normal, mu: 500, sigma: 100}": (
        "3: parameters.a: found mu 500 and sigma 100 of the logarithm: values would exceed "
        "e**700; choose smaller ones"
    ),
    "a: {distribution: beta, a: 0}": ("3: parameters.a.a: found 0, allowed: a number above 0"),
    "a: {distribution: beta, b: x}": ('3: parameters.a.b: found "x", allowed: a number'),
    "1: {value: 3}": (
        '3: parameters.1: "1" is no name for a parameter; allowed: letters, digits and _ . - '
        "/ : @ +, first a letter or _, or one of these after Hydra's +, ++ or ~"
    ),
    "a b: {value: 3}": (
        '3: parameters.a b: "a b" is no name for a parameter; allowed: letters, digits and _ '
        ". - / : @ +, first a letter or _, or one of these after Hydra's +, ++ or ~"
    ),
    "seed: {values: [1, 1]}\na: {value: 1}": (
        "3: parameters.seed.values: found 1, allowed: different whole numbers"
    ),
    "seed: {min: 0.0, max: 9.0}\na: {value: 1}": (
        '3: parameters.seed: found {"min": 0.0, "max": 9.0}, allowed: whole numbers, such as '
        "distribution: int_uniform"
    ),
    "seed: {value: 1}": (
        "3: parameters.seed: is the only parameter; write an experiment without a sweep, and list "
        "the seeds under `seeds`"
    ),
    "seed: {value: 1.5}\na: {value: 1}": (
        "3: parameters.seed.value: found 1.5, allowed: different whole numbers"
    ),
    "seed: [1, 2]": (
        "3: parameters.seed: found [1, 2], allowed: a mapping such as {value: 0} or "
        "{values: [0, 1]}"
    ),
    "a.b: {value: 1}\na: {parameters: {b: {value: 2}}}": (
        "4: parameters.a.parameters.b: two parameters have the name 'a.b'; rename one"
    ),
    "opt:\n  a: {value: 1}\n  b: {value: 2}": (
        "4: parameters.opt.a: nested parameters need a key `parameters` above them: write opt: "
        "{parameters: {a: ...}}"
    ),
}

# The same of a grid.
GRIDS = {
    "a: {min: 0.0, max: 1.0}": (
        "3: parameters.a: a grid can't run all values of a range; list some (values: [...]), "
        "use q_uniform with a step q, or write method: random"
    ),
    "a: {distribution: q_normal}": (
        "3: parameters.a: a grid can't run all values of a range; list some (values: [...]), "
        "use q_uniform with a step q, or write method: random"
    ),
    "a: {values: [1, 2], probabilities: [0.5, 0.5]}": (
        "3: parameters.a.probabilities: a grid runs every value once; remove them, or write "
        "method: random"
    ),
    "a: {min: 0, max: 10000000}": (
        "3: parameters.a: a grid of 10000000 values; list fewer, or write method: random"
    ),
    "a: {distribution: q_uniform, min: 0, max: 1, q: 1e-9}": (
        "3: parameters.a: a grid of 1000000000 values; list fewer, or write method: random"
    ),
}

# A file, and what is said of it.
WHOLE_FILES = {
    "method: bayes\nparameters: {a: {value: 1}}\n": (
        "1: missing key 'metric': add it, method bayes needs a metric such as {name: "
        "val/loss, goal: minimize}"
    ),
    "method: bayesian\nparameters: {a: {value: 1}}\n": (
        "1: method: found \"bayesian\", did you mean 'bayes'?; allowed: grid, random, bayes"
    ),
    "method: custom\nparameters: {a: {value: 1}}\n": (
        '1: method: found "custom", allowed: grid, random, bayes'
    ),
    "parameters: {a: {value: 1}}\n": (
        "1: missing key 'method': add it, how parameters are chosen, one of grid, random, bayes"
    ),
    "method: grid\n": (
        "1: missing key 'parameters': add it, the parameters by name, such as learning_rate: "
        "{min: 0.0, max: 1.0}"
    ),
    "[]": ("1: the file: found [], allowed: a mapping (W&B's sweep configuration)"),
    "": ("1: the file: found null, allowed: a mapping (W&B's sweep configuration)"),
    "method: grid\nparameters:\n": (
        "2: parameters: found null, allowed: parameters by name, each a mapping such as " + EXAMPLE
    ),
    "method: random\nparameters:\nlr: {min: 0, max: 1}": (
        "3: lr: is a parameter: indent it below `parameters`"
    ),
    "method: random\nparameters:\n  lr:\nmin: 0\nmax: 1": (
        "4: min: is a key of a parameter: indent it below one under `parameters`"
    ),
    "method: random\nparamters: {a: {value: 1}}": (
        "2: unknown key 'paramters', did you mean 'parameters'?; allowed: " + TOP_KEYS
    ),
}

# What follows a good `method` and `parameters`, from line 3 on.
REST = {
    "metric: {name: loss, goal: maximise}": (
        "3: metric.goal: found \"maximise\", did you mean 'maximize'?; allowed: minimize, maximize"
    ),
    "metric: {name: loss, goal: up}": ('3: metric.goal: found "up", allowed: minimize, maximize'),
    "metric: loss": (
        '3: metric: found "loss", allowed: a mapping (the metric to optimise, such as {name: '
        "val/loss, goal: minimize})"
    ),
    "metric: {goal: minimize}": (
        "3: missing key 'name' in 'metric': add it, a metric that the program logs"
    ),
    "metric:\n  name: loss\ngoal: minimize": (
        "5: goal: is a key of `metric`: indent it below that"
    ),
    "metric:\nname: loss\ngoal: minimize": ("5: goal: is a key of `metric`: indent it below that"),
    "metric: {name: loss, gaol: minimize}": (
        "3: unknown key 'metric.gaol', did you mean 'goal'?; allowed: name, goal, target, "
        "impute, impute_while_running"
    ),
    "metric: {name: loss, target: high}": (
        '3: metric.target: found "high", allowed: a number (the sweep ends once a run has '
        "reached this value)"
    ),
    "metric: {name: loss, impute_while_running: latest}": (
        '3: metric.impute_while_running: found "latest", allowed: false'
    ),
    "metric:\n  name: loss\n  run_cap: 3": (
        "5: metric.run_cap: belongs beside `metric`, not below it: remove its indentation"
    ),
    "early_terminate: {type: hyperband, min_iter: 3}": (
        "3: missing key 'metric': add it, early_terminate needs a metric such as {name: "
        "val/loss, goal: minimize}"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband}": (
        "4: early_terminate: found type; needs at least one of min_iter and max_iter"
    ),
    "metric: {name: loss}\nearly_terminate: {min_iter: 3}": (
        "4: missing key 'type' in 'early_terminate': add it, the rule, hyperband"
    ),
    "metric: {name: loss}\nearly_terminate: {type: envelope, min_iter: 3}": (
        '4: early_terminate.type: found "envelope", allowed: hyperband'
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, max_iter: 3}": (
        "4: missing key 's' in 'early_terminate': add it, the number of rungs below max_iter"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, max_iter: 2, s: 2}": (
        "4: early_terminate: found max_iter 2 and eta 3, which give no rung of at least 1 row; "
        "raise max_iter or lower eta"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, min_iter: 3, eta: 1}": (
        "4: early_terminate.eta: found 1, allowed: a number above 1; one in eta runs "
        "continues at each rung"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, min_iter: 0}": (
        "4: early_terminate.min_iter: found 0, allowed: minimum 1 (the first rung, in rows "
        "with the metric; each further one is eta times the one before)"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, min_iter: 1.5}": (
        "4: early_terminate.min_iter: found 1.5, allowed: a whole number (the first rung, in "
        "rows with the metric; each further one is eta times the one before)"
    ),
    "metric: {name: loss}\nearly_terminate: {type: hyperband, min_itr: 3}": (
        "4: unknown key 'early_terminate.min_itr', did you mean 'min_iter'?; allowed: type, "
        "min_iter, max_iter, s, eta, strict, axis"
    ),
    "metric: {name: loss}\nearly_terminate:\n  type: hyperband\n  min_iter: 3\neta: 3": (
        "7: eta: is a key of `early_terminate`: indent it below that"
    ),
    "metric: {name: loss}\nearly_terminate:\ntype: hyperband\nmin_iter: 3": (
        "5: type: is a key of `early_terminate`: indent it below that"
    ),
    "run_cap: 0": ("3: run_cap: found 0, allowed: minimum 1 (the largest number of runs)"),
    "runcap: 3": ("3: unknown key 'runcap', did you mean 'run_cap'?; allowed: " + TOP_KEYS),
    "command: python train.py": (
        '3: command: found "python train.py", allowed: a list (the command line, in W&B\'s macros)'
    ),
    "command: ['${python}']": ("3: command: found ${python}, allowed: " + MACROS),
    "job: x": ("3: job: jobs of W&B Launch aren't supported; set a `program` instead"),
    "scheduler: {engine: optuna}": (
        "3: scheduler: other schedulers aren't supported; remove it and choose a `method`"
    ),
    "metrics: []": ("3: metrics: only one metric is supported; write it under `metric`"),
    "image_uri: x": (
        "3: image_uri: images of W&B Launch aren't supported; set a `program` instead"
    ),
    "controller: {type: remote}": ('3: controller.type: found "remote", allowed: local, cloud'),
    "kind: run": ('3: kind: found "run", allowed: sweep'),
    "method: grid": ("3: duplicate key 'method': remove one"),
}


@pytest.mark.parametrize("text", PARAMETERS)
def test_a_wrong_parameter_is_refused(tmp_path: Path, text: str) -> None:
    whole = f"method: random\nparameters:\n{textwrap.indent(text, '  ')}\n"
    assert refusal(tmp_path, whole) == f"s.yaml:{PARAMETERS[text]}"


@pytest.mark.parametrize("text", GRIDS)
def test_what_has_no_grid_is_refused(tmp_path: Path, text: str) -> None:
    whole = f"method: grid\nparameters:\n  {text}\n"
    assert refusal(tmp_path, whole) == f"s.yaml:{GRIDS[text]}"
    read(tmp_path, whole.replace("grid", "random"))


@pytest.mark.parametrize("text", WHOLE_FILES)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == f"s.yaml:{WHOLE_FILES[text]}"


@pytest.mark.parametrize("text", REST)
def test_a_wrong_key_beside_the_parameters_is_refused(tmp_path: Path, text: str) -> None:
    whole = f"method: random\nparameters: {{a: {{value: 1}}}}\n{text}\n"
    assert refusal(tmp_path, whole) == f"s.yaml:{REST[text]}"


def test_parameters_may_be_called_like_keys(tmp_path: Path) -> None:
    text = """\
method: random
parameters:
  min: {value: 1}
  metric: {values: [l1, l2]}
  a: {distribution: beta}
  value: {value: {min: 1}}
  data:
    parameters:
      seed: {values: [1, 2]}
      parameters: {parameters: {q: {distribution: q_normal}}}
"""
    assert list(distributions(read(tmp_path, text))) == [
        *("min", "metric", "a", "value", "data.seed", "data.parameters.q")
    ]
