"""Tell by the words in a metric's name what it measures, such as a speed or the system."""

import re

# Words in the names of what differs in any two runs: speed, memory, and the seed itself.
_INCIDENTAL = {
    *("duration", "elapsed", "eta", "fps", "hours", "latency", "mfu", "minutes", "ms", "runtime"),
    *("sec", "second", "seconds", "secs", "speed", "sps", "throughput", "time", "times"),
    *("timestamp", "mem", "memory", "seed"),
}
_SYSTEM = re.compile(r"system/(cpu_percent|memory_used_gb|gpu\d*_(utilization|memory_used_gb))")


def is_incidental(name: str) -> bool:
    """Whether a metric is a speed, memory or the like, which differs in any two runs."""
    return not _INCIDENTAL.isdisjoint(words_of(name))


def is_system_metric(name: str) -> bool:
    """Whether a metric was measured by `caduceus.tracking.system_metrics`."""
    return name.startswith("system/") and _SYSTEM.fullmatch(name) is not None


def words_of(name: str) -> set[str]:
    """Return the words in a name in lower case: `val` and `loss` of `val/loss` and `valLoss`."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
