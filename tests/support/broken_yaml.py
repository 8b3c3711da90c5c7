"""Files of users with something broken in them, at random."""

from random import Random

# Texts that a mutation puts in place of a value.
WORDS = (
    "2020-13-45 2020-01-01 12:99:99 2001-12-14t21:59:43.10-05:00 9223372036854775808 1e999 .nan "
    '-.inf 0x 0b2 1_0 0o8 1:2:3 ~ null on No \'\' "\\0" "\\x07" &a &a1 *a *a1 ! !!int !!float '
    "!!int:x !!bool:maybe !!null:x !!timestamp:x !!binary:=== !!python/none "
    "!!python/name:os.system "
    "!foo [] {} [[]] [{}] {0:1} {on:1} {~:1} {1.5:2} {[1]:2} {{a:1}:2} {<<:3} {<<:*a} {=:1} "
    "{2020-01-01:1} [*a] {a:*a} - ? : | > % @ ` # , [ ] { } --- ... %YAML -1 0 1 1.0 2 true "
    "${args} ${seed} ${param:x} ${envvar:X} ${ ${} seed seeds matrix a/b ../x /x * ** **/*.py "
    "1e-5 +1 -.5 é 🙂 long deep wide huge"
)
VALUES = WORDS.split()
BYTES = (b"\0", b"\t", b"\xff", b"\xef\xbb\xbf", b"\r", b"\x85", b"\x1b", b"\xe9", b"\n\n", b"\xfe")


def value(rng: Random) -> str:
    """A value that a user may write by mistake."""
    chosen = rng.choice(VALUES)
    grown = {
        "long": "x" * rng.choice([100, 5_000, 300_000]),
        "deep": "[" * 150 + "]" * 150,
        "wide": f"[{', '.join(map(str, range(rng.choice([300, 60_000]))))}]",
        "huge": "9" * rng.choice([19, 30, 400, 5_000]),
    }
    return grown.get(chosen, chosen).replace(":x", " x").replace(":1", ": 1")


def bomb(rng: Random) -> str:
    """Lists that hold the one before several times, each."""
    times, levels = rng.randint(2, 10), rng.randint(2, 30)
    lines = ["b0: &b0 [x, y]"]
    merge = rng.random() < 0.3
    for level in range(1, levels):
        aliases = ", ".join([f"*b{level - 1}"] * times)
        lines.append(
            f"b{level}: &b{level} " + (f"{{<<: [{aliases}]}}" if merge else f"[{aliases}]")
        )
    return "\n".join(lines)


def broken(text: str, rng: Random) -> bytes:
    """The text of a file after a few random changes."""
    lines = text.splitlines()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(lines))
        key, colon, _ = lines[at].partition(":")
        indent = key[: len(key) - len(key.lstrip())]
        kind = rng.randrange(12)
        if kind <= 5 and colon:
            lines[at] = f"{key}: {value(rng)}"
        elif kind == 6:
            lines[at] = f"{indent}{value(rng)}: {value(rng)}"
        elif kind == 7:
            lines.insert(at, rng.choice(lines))
        elif kind == 8:
            lines[at] = " " * rng.randint(0, 6) + lines[at].lstrip()
        elif kind == 9:
            lines.insert(at, f"{indent}{value(rng)}: {value(rng)}")
        elif kind == 10 and rng.random() < 0.3:
            lines.insert(at, "\n".join(f"{indent}{line}" for line in bomb(rng).splitlines()))
        else:
            place = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + value(rng) + lines[at][place + rng.randint(0, 3) :]
    found = "\n".join(lines).encode()
    if rng.random() < 0.15:
        place = rng.randrange(len(found) + 1)
        found = found[:place] + rng.choice(BYTES) + found[place:]
    return found
