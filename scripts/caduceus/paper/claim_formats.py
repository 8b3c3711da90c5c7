"""The verdicts on the claims as Markdown (claims.md) and as lines on the terminal."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.io.markdown import markdown_text
from caduceus.io.phrases import count_of
from caduceus.paper.rounding import digits_of, round_p, round_value
from caduceus.paper.verdict_names import verdict_text

_HEADER = (
    "claim",
    "verdict",
    "n",
    "effect",
    "interval",
    "size",
    "p",
    "corrected",
    "least p",
)
_LEVEL = re.compile(r"[\d.]+ %(?= interval)")  # in the method of a claim
_OUTCOMES = (
    *("supported", "refuted", "within noise", "undecided", "not enough runs"),
    *("not enough items", "no verdict", "failed"),
)


def claims_markdown(decided: Mapping[str, Any]) -> str:
    """Return claims.md: a table of all verdicts, then each with its reason and method.

    Args:
        decided: the content of claims.json.
    """
    claims = decided["claims"]
    rows = [_HEADER, *[_cells(claim) for claim in claims]]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * width if at < 2 else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    table = [
        "| " + " | ".join(_padded(cells, widths)) + " |" for cells in (_HEADER, rule, *rows[1:])
    ]
    parts = [f"# Claims\n\n{_counts(claims)}.", "\n".join(table), _note(decided)]
    for claim in claims:
        parts += [
            f"## {markdown_text(claim['name'])}: {verdict_text(claim)}\n\n"
            f"> {markdown_text(claim['statement'])}",
            markdown_text(claim["reason"]),
        ]
        if claim["sides"]:
            means = ", ".join(map(_mean, claim["sides"]))
            method = claim["method"][0].upper() + claim["method"][1:]
            metric = markdown_text(claim["metric"])
            parts.append(f"Mean ± standard deviation of {metric}: {means}. {method}.")
    return "\n\n".join(parts) + "\n"


def claim_lines(decided: Mapping[str, Any]) -> list[str]:
    """Return a line that counts the verdicts, and then one for each claim."""
    return [
        f"{_counts(decided['claims'])} (results/paper/claims.md)",
        *[
            f"  {verdict_text(claim):<{max(map(len, _OUTCOMES))}}  "
            f"{' '.join(claim['statement'].split())} ({_evidence(claim)})"
            for claim in decided["claims"]
        ],
    ]


def _counts(claims: Sequence[Mapping[str, Any]]) -> str:
    found = Counter(claim["verdict"] for claim in claims)
    counted = ", ".join(f"{found[outcome]} {outcome}" for outcome in _OUTCOMES if found[outcome])
    return f"{count_of(len(claims), 'claim')}: {counted}"


def _evidence(claim: Mapping[str, Any]) -> str:
    """Return the corrected p or, where n is too small for a verdict, n and the n to use."""
    if claim["verdict"] == "failed":
        return " ".join(claim["reason"].split())
    if claim["verdict"] not in ("not enough runs", "not enough items"):
        return f"p {round_p(claim['p_adjusted'])}"
    needed = claim["runs_that_would_do"]
    return f"n {claim['n']}, use {needed}" if needed else f"n {claim['n']}"


def _cells(claim: Mapping[str, Any]) -> tuple[str, ...]:
    size = "–" if claim["effect_size"] is None else round_value(claim["effect_size"])
    effect, interval = "–" if claim["effect"] is None else round_value(claim["effect"]), "–"
    if claim["low"] is not None and claim["high"] is not None:
        half = (claim["high"] - claim["low"]) / 2
        effect, low, high = _together(claim["effect"], half, (claim["low"], claim["high"]))
        level = _LEVEL.search(claim["method"])
        interval = f"{low} to {high}" + (f" ({level[0]})" if level else "")
    p = (
        "–" if claim[key] is None else round_p(claim[key])
        for key in ("p", "p_adjusted", "minimum_p")
    )
    return (
        markdown_text(claim["name"]),
        verdict_text(claim),
        _n(claim),
        effect,
        interval,
        size,
        *p,
    )


def _n(claim: Mapping[str, Any]) -> str:
    """Return the number of runs or pairs, or what a claim by test items was tested over."""
    if "items" not in claim:
        return str(claim["n"])
    items = count_of(claim["items"], "item")
    if claim["clusters"] < claim["items"]:
        items += f" in {claim['clusters']:,}"
    match claim["seeds"]:
        case []:
            return items
        case [pairs]:
            return f"{count_of(pairs, 'pair')} × {items}"
        case seeds:
            return f"{' + '.join(map(str, seeds))} runs × {items}"


def _together(value: float, half: float, others: Sequence[float]) -> list[str]:
    """Format a number and others in its unit with two digits of its half-width."""
    digits = digits_of([value], [half])
    if digits.exponent:
        return [round_value(each) for each in (value, *others)]
    return digits.texts(value, others)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if at < 2 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _note(decided: Mapping[str, Any]) -> str:
    means = ""
    if decided.get("statistic", "mean") != "mean":
        means = f"Claims are about means, though tables show the {decided['statistic']}. "
    return (
        f"{means}effect: the difference of means, or from the value; of a trend the rank "
        "correlation, slope or weakest step, of an order the weakest step, of a ratio the ratio. "
        "size: the effect in standard deviations. p is "
        "two-sided, but the larger of two one-sided ones where a value is reproduced; corrected: "
        "for all claims here "
        f"(Holm), decided at {decided['alpha']:g}; least p: the smallest that n runs can reach."
    )


def _mean(side: Mapping[str, Any]) -> str:
    runs, variant = count_of(side["n"], "run"), markdown_text(side["variant"])
    if side["mean"] is None:
        return f"{variant} – ({runs})"
    if side["std"] == 0:
        runs += ", all equal"
    mean, *std = (
        _together(side["mean"], side["std"], [side["std"]])
        if side["std"]
        else [round_value(side["mean"])]
    )
    return f"{variant} {' ± '.join([mean, *std])} ({runs})"
