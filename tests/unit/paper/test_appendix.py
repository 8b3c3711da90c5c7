"""The appendix on the artifact: the subset of one hour, each claim's tolerance, both formats."""

import random

import appendices
import pytest
from caduceus.io.amounts import duration, size
from caduceus.paper.appendix.blocks import Code, to_latex, to_markdown
from caduceus.paper.appendix.claims import tolerance
from caduceus.paper.appendix.content import appendix
from caduceus.paper.appendix.subset import choose_subset


def test_the_most_claims_that_fit_are_chosen_and_shared_runs_count_once() -> None:
    subset = choose_subset(appendices.RUNS, appendices.SECONDS, 3000)
    assert subset.claims == ("better", "bound")
    assert subset.runs == ("a-1", "a-2", "b-1", "b-2")
    assert subset.wall_s == 3000
    assert choose_subset(appendices.RUNS, appendices.SECONDS, 2999).claims == ("bound",)
    assert choose_subset(appendices.RUNS, appendices.SECONDS, 1).claims == ()


def test_a_claim_with_a_run_of_unknown_cost_is_never_chosen() -> None:
    assert choose_subset({"a": ["x", "y"], "b": []}, {"x": 1.0}, 10).claims == ()


def test_many_claims_never_exceed_the_time() -> None:
    pick = random.Random(0)
    seconds = {f"r{number}": pick.uniform(1, 900) for number in range(60)}
    runs = {f"c{number}": pick.sample(sorted(seconds), 4) for number in range(40)}
    subset = choose_subset(runs, seconds, 3240)
    assert subset.claims and sum(seconds[run] for run in subset.runs) <= 3240
    assert set(subset.runs) == {run for name in subset.claims for run in runs[name]}


def test_it_names_the_subset_its_cost_and_what_is_left() -> None:
    text = to_markdown("Artifact appendix", appendix(appendices.data()))
    assert "Training 4 runs again decides better, bound. These runs took 50 min" in text
    assert "rm -r a-1 a-2 b-1 b-2" in text
    assert "or don't decide them: long (2 h)." in text
    assert "1 host with Some CPU, 8 logical cores, 32 GB of memory, GPUs: GPU X" in text
    assert "snakemake x" in text
    assert "**Licence of the code:** MIT License" in text


def test_what_the_runs_do_not_decide_is_in_no_subset() -> None:
    claims = [appendices.decided(name, verdict="not enough runs") for name in appendices.RUNS]
    data = appendices.data(decided={"claims": claims})
    assert "No claim that the runs decide fits" in to_markdown("A", appendix(data))
    without = appendices.data(decided=None, claims={})
    assert "no claims in its configuration" in to_markdown("A", appendix(without))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "better",
            "above 0.05, by p below the level, corrected for all claims; the measured value "
            "may be worse by 0.05",
        ),
        ("bound", "the mean is at least 0.5"),
        ("long", "within 0.02 of 0.7 (A & B)"),
    ],
)
def test_each_claim_says_within_what_it_holds(name: str, said: str) -> None:
    text = tolerance(appendices.claim(name), appendices.decided(name))
    assert said in text
    assert "differs by about 0.02 from ours" in text


def test_long_commands_are_broken_so_that_a_shell_reads_them_as_one() -> None:
    (line,) = Code(["rm -r " + " ".join(f"run-{number:020}" for number in range(9))]).broken
    assert max(map(len, line.splitlines())) <= 60
    assert all(part.endswith("\\") for part in line.splitlines()[:-1])
    assert len(line.replace("\\\n", "").split()) == 11


def test_latex_needs_no_package_and_escapes_texts() -> None:
    text = to_latex("Artifact appendix", appendix(appendices.data()))
    assert r"5 \% \& more\_\allowbreak{}of \#1" in text
    assert text.count(r"\begin{verbatim}") == text.count(r"\end{verbatim}")


def test_times_and_sizes_in_words() -> None:
    times = {0.4: "0 s", 40: "40 s", 720: "12 min", 12600: "3.5 h", 36e5: "1,000 h"}
    assert {each: duration(each) for each in times} == times
    sizes = {0: "0 bytes", 2_100: "2.1 kB", 999_700: "1,000 kB", 4_500_000: "4.5 MB"}
    assert {each: size(each) for each in sizes} == sizes
