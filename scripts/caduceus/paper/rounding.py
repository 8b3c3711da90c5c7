"""Numbers as pages show them: with the digits that count."""


def round_value(value: float) -> str:
    """Four digits."""
    return f"{value:.4g}"


def round_p(p: float) -> str:
    """Two digits."""
    return f"{p:.2g}"
