"""Write the paragraph on compute resources in LaTeX.

It answers item 8 of the NeurIPS paper checklist: the kind of workers and their memory, the time of
a run and in total, and what the project took beyond the runs that the paper reports.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from caduceus.io.phrases import count_of
from caduceus.paper.latex import latex_text

_TABLE_SENTENCE = (
    "The table has, for each experiment, the median time of a run, what a run was given, the "
    "memory of its largest process, and hours summed over all attempts."
)
Row = Mapping[str, Any]  # of compute.json
_KINDS = {
    "planned": "",
    "trial": " (trials)",
    "try": " (tries)",
    "abandoned": " (earlier)",
    "project": " (project)",
}


def write_paragraph(compute: Mapping[str, Any]) -> str:
    """Return the content of compute.tex.

    Args:
        compute: the content of compute.json.
    """
    lines = ["% What the runs cost, from compute.json; attempts.csv lists every attempt."]
    if not compute["total"]["runs"]:
        return "\n".join([*lines, "% No run was started."]) + "\n"
    has_table = len(compute["experiments"]) > 1
    if has_table:
        lines.append(r"% Needs \usepackage{booktabs}.")
        run_sentences: Iterable[str] = [_TABLE_SENTENCE]
    else:
        run_sentences = _run_sentences(compute["experiments"][0])
    sentences = [
        *_machine_sentences(compute["machines"]),
        *run_sentences,
        *_sum_sentences(compute["parts"], compute["total"]),
        *_energy_sentences(compute["total"]),
        *_gap_sentences(compute["total"]),
    ]
    lines += [r"\paragraph{Compute resources.}", *sentences]
    return "\n".join([*lines, *(_table(compute["experiments"]) if has_table else ())]) + "\n"


def _machine_sentences(machines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = [machine for machine in machines if machine["cpu"]]
    if known:
        described = "; ".join(map(_machine, known))
        yield f"We ran everything on {described}."
    rest = sum(machine["attempts"] for machine in machines if not machine["cpu"])
    if rest:
        yield f"The hardware of {count_of(rest, 'attempt')} is not on record."


def _machine(machine: Mapping[str, Any]) -> str:
    hosts = count_of(len(machine["hosts"]), "host")
    cpu = latex_text(machine["cpu"].replace("(R)", "").replace("(TM)", ""))
    text = f"{hosts} with {cpu} ({count_of(machine['cpus'], 'logical core')}, "
    text += f"{machine['memory_gb']:.0f}~GB of memory)"
    gpus = [
        latex_text(name) + ("" if "GB" in name else f" ({memory:.0f}~GB)")
        for name, memory in machine["gpu_memory_gb"].items()
    ]
    return f"{text} and {' and '.join(gpus)} GPUs" if gpus else text


def _run_sentences(row: Row) -> Iterator[str]:
    if row["run_s"] is None:
        return
    text = f"A run took {_spread(row['run_s'])}"
    if row["threads"]:
        text += f", with {_range(row['threads'], 'thread')}"
    if row["gpus"] and row["gpus"]["max"]:
        text += f" and {_range(row['gpus'], 'GPU')}"
    if row["peak_memory_gb"] is not None:
        text += f", and up to {_amount(row['peak_memory_gb'])}~GB of memory in a process"
    yield f"{text}."


def _sum_sentences(parts: Mapping[str, Row], total: Row) -> Iterator[str]:
    if "reported" in parts:
        reported = parts["reported"]
        yield f"The {count_of(reported['runs'], 'run')} reported here took {_cost(reported)}."
    beyond = []
    if "failed" in parts:
        attempts = count_of(parts["failed"]["attempts"], "attempt")
        cost = _cost(parts["failed"])
        beyond.append(f"{cost} for {attempts} that failed or did not finish")
    for kind, what in (
        ("trial", "of hyperparameter sweeps"),
        ("try", "of tried edits"),
        ("abandoned", "of earlier versions that are not reported"),
        ("project", "of other W\\&B projects"),
    ):
        if kind in parts:
            runs = count_of(parts[kind]["runs"], "trial" if kind == "trial" else "run")
            beyond.append(f"{_cost(parts[kind])} for {runs} {what}")
    if beyond:
        yield f"The project took more than that: {'; '.join(beyond)}."
        yield f"Altogether it took {_cost(total)}."
    else:
        yield "No attempt failed and no other run was made: this is the total."
    # Those of runs that failed are among what failed already.
    lost = sum(part["lost_hours"] for name, part in parts.items() if name != "failed")
    if lost:
        yield f"Of this, {_time(lost)} were lost to interruptions and done again."
    if total["attempts"] > 1:
        yield "Wall time is summed over all attempts, whatever ran at the same time."


def _energy_sentences(total: Row) -> Iterator[str]:
    if total["energy_kwh"] is not None:
        text = f"The GPUs used {_amount(total['energy_kwh'])}~kWh by their own counters"
        unread = total["unmetered"] - total["shared"]
        if unread:
            text += f", not counting {count_of(unread, 'attempt')} without a reading"
        yield f"{text}."
    if total["shared"]:
        attempts = count_of(total["shared"], "attempt")
        sum_too = ", and not in this sum" if total["energy_kwh"] is not None else ""
        yield f"The energy of {attempts} that had a share of a GPU is not known{sum_too}."


def _gap_sentences(total: Row) -> Iterator[str]:
    if total["unmeasured"]:
        attempts = count_of(total["unmeasured"], "attempt")
        yield (
            f"Of {attempts} (run elsewhere, or killed before they were measured) only the wall "
            "time is known."
        )


def _cost(row: Row) -> str:
    """Format the GPU, CPU and wall time of a row, as far as they are known."""
    parts = []
    if row["gpu_hours"]:
        models = [
            f"{_time(hours)} on {latex_text(name)}"
            for name, hours in row["gpu_hours_by_model"].items()
        ]
        by_model = f" ({', '.join(models)})" if len(models) > 1 else ""
        parts.append(_time(row["gpu_hours"], "GPU ") + by_model)
    if row["cpu_hours"] is not None:
        parts.append(_time(row["cpu_hours"], "CPU "))
    return ", ".join([*parts, f"{_time(row['wall_hours'])} of wall time"])


def _table(rows: Sequence[Row]) -> Iterator[str]:
    has_gpus = any(row["gpu_hours"] for row in rows)
    gpus, gpu_hours = (["GPUs"], ["GPU h"]) if has_gpus else ([], [])
    header = ["experiment", "runs", "a run", "threads", *gpus, "GB", *gpu_hours, "CPU h", "wall h"]
    yield from (r"\begin{center}\small", rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}")
    yield from (r"\toprule", _line(header), r"\midrule")
    for row in rows:
        yield _line(
            [
                latex_text(row["experiment"]) + _KINDS[row["kind"]],
                f"{row['runs']:,}",
                _spread(row["run_s"], is_short=True) if row["run_s"] else "--",
                _range(row["threads"]),
                *[_range(row["gpus"])] * has_gpus,
                _known(row["peak_memory_gb"]),
                *[_known(row["gpu_hours"])] * has_gpus,
                _known(row["cpu_hours"]),
                _known(row["wall_hours"]),
            ]
        )
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{center}")


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _known(value: float | None) -> str:
    return "--" if value is None else _amount(value)


def _range(values: Mapping[str, float] | None, what: str = "") -> str:
    """Format a range, or its one value: 1--4 threads."""
    if values is None:
        return "--"
    least, most = values["min"], values["max"]
    number = str(most) if least == most else f"{least}--{most}"
    return f"{number} {what}{'' if most <= 1 else 's'}" if what else number


def _spread(seconds: Mapping[str, float], is_short: bool = False) -> str:
    """Format a median time and, unless short, its range: 3.9 s (median; 3.5 to 4.2)."""
    size, unit = next(
        (size, unit)
        for size, unit in ((3600, "h"), (60, "min"), (1, "s"))
        if (seconds["median"] >= size or size == 1)
    )
    median, least, most = (_amount(seconds[n] / size) for n in ("median", "min", "max"))
    if least == most or is_short:
        return f"{median}~{unit}"
    return f"{median}~{unit} (median; {least} to {most})"


def _time(hours: float, of: str = "") -> str:
    """Format a time in hours, minutes or seconds: 12.3 GPU hours."""
    for size, unit in ((1, "hours"), (60, "minutes"), (3600, "seconds")):
        if hours * size >= 1 or size == 3600:
            amount = _amount(hours * size)
            return f"{amount}~{of}{unit.removesuffix('s') if amount == '1' else unit}"
    raise AssertionError


def _amount(value: float) -> str:
    """Format a number with three significant digits, or as an integer: 0.0712, 3.91, 1,234."""
    if value >= 100:
        return f"{value:,.0f}"
    if 0 < value < 0.001:
        return "$<$0.001"
    return f"{value:.3g}"
