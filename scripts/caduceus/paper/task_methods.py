"""Methods that are compared on tasks: the variants that differ in their task alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caduceus.paper.labels import parameter_text, varying_parameters
from caduceus.paper.results import Variant
from caduceus.runs.files.plan import Spec


@dataclass(frozen=True)
class TaskMethod:
    """A method, and its variant on each task that it was run on."""

    labels: tuple[object, ...]  # its values of the parameters in which methods differ
    tasks: Mapping[str, Variant]

    @property
    def whole(self) -> Variant:
        """The runs of all tasks as one variant, with the parameters that they share."""
        variants = list(self.tasks.values())
        first = variants[0]
        parameters = {
            name: value
            for name, value in first.parameters.items()
            if all(other.parameters.get(name) == value for other in variants)
        }
        name = ",".join(parameter_text(label) for label in self.labels)
        results = tuple(result for variant in variants for result in variant.results)
        equal = tuple(each for variant in variants for each in variant.equal_seeds)
        return Variant(first.experiment, name, parameters, results, equal)


@dataclass(frozen=True)
class TaskMethods:
    """The methods and tasks of a table or figure.

    Attributes:
        names: the parameters in which methods differ.
        methods: in the order of the experiment files.
        tasks: the values of the parameter, in the order of the experiment files.
    """

    names: tuple[str, ...]
    methods: tuple[TaskMethod, ...]
    tasks: tuple[str, ...]


def group_methods(
    variants: Sequence[Variant], task: str, experiments: Sequence[Spec]
) -> TaskMethods:
    """Group variants that differ only in the parameter `task` into methods.

    The variants of a method may come from several experiments, such as one for each task, if these
    run the same program. Where two of them are on the same task, the experiment distinguishes
    methods too.

    Args:
        variants: those that are shown.
        task: the parameter whose values are tasks.
        experiments: the specs of their experiments.
    """
    programs = {spec.id: spec.program for spec in experiments}
    varying = [name for name in varying_parameters(variants) if name != task]
    # The dataset that an experiment declares belongs to its task.
    names = [name for name in varying if name != "experiment" and name.split(".")[0] != "dataset"]
    grouped = _grouped(variants, names, task, programs)
    if grouped is None:
        names = varying
        grouped = _grouped(variants, names, task, {spec.id: spec.id for spec in experiments})
    assert grouped is not None  # variants with equal parameters are one variant
    methods = [
        TaskMethod(
            tuple(next(iter(tasks.values())).parameters.get(name) for name in names)
            or (next(iter(tasks.values())).experiment,),
            tasks,
        )
        for tasks in grouped
    ]
    tasks = dict.fromkeys(parameter_text(variant.parameters.get(task)) for variant in variants)
    return TaskMethods(tuple(names), tuple(methods), tuple(tasks))


def _grouped(
    variants: Sequence[Variant], names: Sequence[str], task: str, origins: Mapping[str, str]
) -> list[dict[str, Variant]] | None:
    """Return the variants of each method by task; None if the names don't tell all methods apart.

    Args:
        variants: those that are shown.
        names: the parameters in which methods differ.
        task: the parameter whose values are tasks.
        origins: by experiment, in what methods differ too.
    """
    grouped: dict[tuple[str, ...], dict[str, Variant]] = {}
    for variant in variants:
        values = [parameter_text(variant.parameters.get(name)) for name in names]
        key = (origins.get(variant.experiment, variant.experiment), *values)
        tasks = grouped.setdefault(key, {})
        on = parameter_text(variant.parameters.get(task))
        if on in tasks:
            return None
        tasks[on] = variant
    is_unique = len({key[1:] for key in grouped}) == len(grouped)
    return list(grouped.values()) if is_unique else None
