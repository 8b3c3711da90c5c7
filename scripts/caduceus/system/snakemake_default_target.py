"""Which rule a plain `snakemake` makes in a Snakefile that loads Caduceus as a module."""

from collections.abc import Callable
from typing import Protocol


class RuleInfo(Protocol):
    """The used directives of a rule."""

    default_target: bool


class Rule(Protocol):
    """The used part of Snakemake's `Rule`."""

    ruleinfo: RuleInfo


class Workflow(Protocol):
    """The used part of Snakemake's `Workflow`."""

    default_target: str | None
    check: Callable[[], None]

    def is_rule(self, name: str) -> bool:
        """Whether there is a rule of this name."""

    def get_rule(self, name: str) -> Rule:
        """Return the rule of this name."""


def prefer_all(workflow: Workflow) -> None:
    """Make the rule `all` the default target, wherever the Snakefile defines it.

    Snakemake takes the first rule, which is one of the module's where that is loaded before the
    user's own `all`. A rule with `default_target: True` wins, and without a rule `all` the first
    rule stays the target.

    Rules may follow, be included by computed names, or come from other modules, so the choice is
    made when all have been read: in the check that Snakemake makes before it uses a workflow.

    Args:
        workflow: one that is being read.
    """
    check = workflow.check

    def choose_and_check() -> None:
        target = workflow.default_target
        is_marked = target is not None and workflow.get_rule(target).ruleinfo.default_target
        if workflow.is_rule("all") and not is_marked:
            workflow.default_target = "all"
        check()

    workflow.check = choose_and_check
