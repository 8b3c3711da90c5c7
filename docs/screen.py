"""Compute what a terminal shows after each of its outputs, and draw an SVG that plays it.

Only what shells and builds print is known: text, colours, moves of the cursor and erasures. Cells
are one column wide. Kept libraries don't do this: termtosvg was given up in 2020, pyte is LGPL.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

READY = "\x1b]777;ready\x07"  # a shell's prompt sends it, and shows nothing
_PARTS = re.compile(
    r"\x1b\[(?P<private>\??)(?P<numbers>[\d;]*)(?P<code>[A-Za-z])"
    r"|\x1b\][^\x07]*\x07|\x1b[=>()][B0]?|(?P<control>[\r\n\b\x07\t])|(?P<text>[^\x1b\r\n\b\x07\t]+)"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[\d;?]*|\][^\x07]*)?$")
# On a dark ground, each with a contrast of more than 4.5.
_COLOURS = ("#8b949e", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#e6edf3")
_GROUND, _TEXT, _DIM = "#0d1117", "#e6edf3", "#9aa4af"
# The colours that replace these on a white ground, with the same contrast.
_LIGHT = {
    **dict(
        zip(
            _COLOURS,
            (
                "#57606a",
                "#b3121d",
                "#116329",
                "#7d4e00",
                "#0550ae",
                "#6639ba",
                "#1b6a72",
                "#1f2328",
            ),
            strict=True,
        )
    ),
    _DIM: "#57606a",
    "#3a3a3a": "#d0d7de",  # the rest of a bar
}
_SIZE, _WIDTH, _HEIGHT, _EDGE = 14, 8.4, 19, 14  # px: font, cell, line, margin

# Adds the buttons to a picture that is opened by itself.
_SCRIPT = """<script><![CDATA[
const film = document.querySelector(".film").getAnimations()[0];
const names = {
  " ": "pause or play", ArrowLeft: "back 5 s", ArrowRight: "on 5 s", r: "from the start",
};
const does = {
  " ": () => (film.playState === "running" ? film.pause() : film.play()),
  ArrowLeft: () => (film.currentTime = Math.max(0, film.currentTime - 5000)),
  ArrowRight: () => (film.currentTime += 5000),
  r: () => { film.currentTime = 0; film.play(); },
};
const bar = document.createElementNS("http://www.w3.org/2000/svg", "g");
const box = document.documentElement.viewBox.baseVal;
const height = box.height;
box.height += 34;
document.querySelector(".ground").height.baseVal.value += 34;
Object.entries(names).forEach(([key, name], number) => {
  const button = document.createElementNS("http://www.w3.org/2000/svg", "text");
  button.setAttribute("x", 14 + number * box.width / 4);
  button.setAttribute("y", height + 22);
  button.setAttribute("role", "button");
  button.setAttribute("tabindex", "0");
  button.setAttribute("class", "button");
  button.textContent = "[" + name + "]";
  button.addEventListener("click", does[key]);
  button.addEventListener("keydown", (event) => { if (event.key === "Enter") does[key](); });
  bar.append(button);
});
document.documentElement.append(bar);
document.documentElement.setAttribute("role", "group"); // an img's buttons would not be told
document.addEventListener("keydown", (event) => {
  if (does[event.key]) { event.preventDefault(); does[event.key](); }
});
]]></script>"""


@dataclass(frozen=True)
class Style:
    """How a cell looks; the colour is empty for the usual one."""

    colour: str = ""
    is_bold: bool = False
    is_dim: bool = False

    def changed(self, numbers: Sequence[int]) -> "Style":
        """Return the style after an SGR sequence."""
        style, rest = self, list(numbers) or [0]
        while rest:
            number = rest.pop(0)
            if number == 0:
                style = Style()
            elif number in (1, 2, 22):
                style = Style(style.colour, number == 1, number == 2)
            elif number == 38:
                colour = _palette(rest[1]) if rest[0] == 5 else _hex(rest[1:4])
                style = Style(colour, style.is_bold, style.is_dim)
                rest = rest[2 if rest[0] == 5 else 4 :]
            elif number == 39 or 30 <= number <= 37 or 90 <= number <= 97:
                colour = "" if number == 39 else _COLOURS[number % 10]
                style = Style(colour, style.is_bold, style.is_dim)
        return style


Cell = tuple[str, Style]
Row = tuple[Cell, ...]
Screen = tuple[Row, ...]
BLANK: Cell = (" ", Style())


def _hex(levels: Sequence[int]) -> str:
    return "#" + "".join(f"{level:02x}" for level in levels)


def _palette(number: int) -> str:
    """Return one of 256 colours."""
    if number < 16:
        return _COLOURS[number % 8]
    if number >= 232:
        return _hex([8 + 10 * (number - 232)] * 3)
    levels = (0, 95, 135, 175, 215, 255)
    place = number - 16
    return _hex([levels[place // base % 6] for base in (36, 6, 1)])


class Terminal:
    """A screen of some columns and lines, to which output is fed."""

    def __init__(self, columns: int, lines: int):
        self.columns, self.lines = columns, lines
        self.transcript: list[str] = []  # lines that have scrolled away
        self._rows = [[BLANK] * columns for _ in range(lines)]
        self._line = self._column = 0
        self._style = Style()
        self._rest = ""

    def feed(self, output: str) -> None:
        """Take output, which may end inside a sequence."""
        output = self._rest + output
        unfinished = _UNFINISHED.search(output)
        self._rest = unfinished[0] if unfinished else ""
        for part in _PARTS.finditer(output.removesuffix(self._rest)):
            if part["text"]:
                for character in part["text"]:
                    self._put(character)
            elif part["control"]:
                self._control(part["control"])
            elif part["code"] and not part["private"]:
                numbers = [int(number or 0) for number in part["numbers"].split(";") if number]
                self._sequence(part["code"], numbers)

    def screen(self) -> Screen:
        """Return what it shows now, with the cursor as a block."""
        rows = [list(row) for row in self._rows]
        if self._column < self.columns and rows[self._line][self._column] == BLANK:
            rows[self._line][self._column] = ("█", Style("#6e7681"))
        return tuple(tuple(_trimmed(row)) for row in rows)

    def text(self) -> str:
        """Return all lines since the beginning."""
        rows = ["".join(character for character, _ in row).rstrip() for row in self._rows]
        return "\n".join([*self.transcript, *rows]).rstrip() + "\n"

    def _put(self, character: str) -> None:
        if self._column == self.columns:
            self._column = 0
            self._feed_line()
        self._rows[self._line][self._column] = (character, self._style)
        self._column += 1

    def _control(self, control: str) -> None:
        if control == "\r":
            self._column = 0
        elif control == "\n":
            self._feed_line()
        elif control == "\b":
            self._column = max(0, self._column - 1)
        elif control == "\t":
            self._column = min(self.columns - 1, (self._column // 8 + 1) * 8)

    def _feed_line(self) -> None:
        self._line += 1
        if self._line == self.lines:
            self._line -= 1
            gone = self._rows.pop(0)
            self.transcript.append("".join(character for character, _ in gone).rstrip())
            self._rows.append([BLANK] * self.columns)

    def _sequence(self, code: str, numbers: Sequence[int]) -> None:
        count = numbers[0] if numbers else 0
        if code == "m":
            self._style = self._style.changed(numbers)
        elif code in "ABCD":
            by = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[code]
            self._line = min(max(self._line + by[0] * max(1, count), 0), self.lines - 1)
            self._column = min(max(self._column + by[1] * max(1, count), 0), self.columns - 1)
        elif code == "K":
            start = 0 if count else self._column
            end = self._column if count == 1 else self.columns
            self._rows[self._line][start:end] = [BLANK] * (end - start)
        elif code in "JH":
            if code == "J" and count == 2:
                self._rows = [[BLANK] * self.columns for _ in range(self.lines)]
            elif code == "J":
                self._sequence("K", [0])
                for line in range(self._line + 1, self.lines):
                    self._rows[line] = [BLANK] * self.columns
            else:
                self._line, self._column = ((*numbers, 1, 1)[0] - 1, (*numbers, 1, 1)[1] - 1)


def _trimmed(row: list[Cell]) -> list[Cell]:
    while row and row[-1] == BLANK:
        row.pop()
    return row


@dataclass(frozen=True)
class Frame:
    """A screen, and the seconds for which it is shown."""

    screen: Screen
    seconds: float


def still(frame: Frame, columns: int, title: str, text: str) -> str:
    """Return an SVG of one frame, in which nothing moves."""
    return _picture([frame], columns, title, text, "", "")


def animated(frames: Sequence[Frame], columns: int, title: str, text: str) -> str:
    """Return an SVG that plays the frames over and over.

    Opened by itself it has buttons that pause it and move it, and it doesn't start where the reader
    wants no motion. In a page's `<img>` it has neither, as browsers run no script there.

    Args:
        frames: the frames.
        columns: of the terminal.
        title: the picture's title.
        text: what the picture shows, for those who don't see it.
    """
    height = _height(frames)
    total, passed, moves = sum(frame.seconds for frame in frames), 0.0, []
    for number, frame in enumerate(frames):
        moves.append(f"{passed / total:.4%}{{transform:translateY({-number * height}px)}}")
        passed += frame.seconds
    css = (
        f".film{{animation:film {total:.1f}s step-end infinite}}\n"
        "@media (prefers-reduced-motion:reduce){.film{animation-play-state:paused}}\n"
        f"@keyframes film{{{''.join(moves)}}}\n"
    )
    return _picture(frames, columns, title, text, css, _SCRIPT)


def _picture(
    frames: Sequence[Frame], columns: int, title: str, text: str, css: str, script: str
) -> str:
    """Return an SVG with the frames one below the other, of which the first is in view."""
    width, height = round(columns * _WIDTH) + 2 * _EDGE, _height(frames)
    rows = {row: f"r{number}" for number, row in enumerate(_rows(frames))}
    styles = sorted({style for row in rows for _, style in row if style != Style()}, key=repr)
    names = {Style(): ""} | {style: f"s{number}" for number, style in enumerate(styles)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title text">',
        f'<title id="title">{escape(title)}</title><desc id="text">{escape(text)}</desc>',
        "<style>",
        f"text{{font:{_SIZE}px ui-monospace,Menlo,'DejaVu Sans Mono',Consolas,monospace;"
        f"fill:{_TEXT};white-space:pre}}",
        f".ground{{fill:{_GROUND};stroke:#6e7681}}",
        *(f".{names[style]}{{{_css(style, _colour(style))}}}" for style in styles),
        f"@media (prefers-color-scheme:light){{text{{fill:{_LIGHT[_TEXT]}}}.ground{{fill:#fff}}",
        *(f".{names[style]}{{{_css(style, _light(_colour(style)))}}}" for style in styles),
        "}",
        f"{css}</style>",
        f'<rect class="ground" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        "<defs>",
        *(f'<g id="{name}">{_drawn(row, names)}</g>' for row, name in rows.items()),
        "</defs>",
        f'<svg width="{width}" height="{height}"><g class="film">',  # shows one frame alone
    ]
    for number, frame in enumerate(frames):
        top = number * height + _EDGE + _SIZE
        parts += [
            f'<use href="#{rows[row]}" y="{top + line * _HEIGHT}"/>'
            for line, row in enumerate(frame.screen)
            if row
        ]
    return "\n".join([*parts, "</g></svg>", *([script] if script else []), "</svg>"]) + "\n"


def _height(frames: Sequence[Frame]) -> int:
    return max(len(frame.screen) for frame in frames) * _HEIGHT + 2 * _EDGE


def _rows(frames: Sequence[Frame]) -> Iterator[Row]:
    """Yield each row that is shown, once."""
    yield from dict.fromkeys(row for frame in frames for row in frame.screen if row)


def _colour(style: Style) -> str:
    return style.colour or (_DIM if style.is_dim else _TEXT)


def _light(colour: str) -> str:
    """Return the colour on a light ground."""
    return _LIGHT.get(colour, colour)


def _css(style: Style, colour: str) -> str:
    return f"fill:{colour}" + (";font-weight:bold" if style.is_bold else "")


def _drawn(row: Row, names: dict[Style, str]) -> str:
    """Return the texts of a row, each with its width, as fonts differ in theirs."""
    parts, column = [], 0
    for style, cells in groupby(row, key=lambda cell: cell[1]):
        text = "".join(character for character, _ in cells)
        start = column + len(text) - len(text.lstrip(" "))
        column += len(text)
        shown = text.strip(" ")
        if shown:
            name = f' class="{names[style]}"' if names[style] else ""
            parts.append(
                f'<text{name} x="{_EDGE + start * _WIDTH:.4g}" '
                f'textLength="{len(shown) * _WIDTH:.4g}">{escape(shown, quote=False)}</text>'
            )
    return "".join(parts)
