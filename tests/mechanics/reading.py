"""The text of a worked example: its lines, and the numbers it expects."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "mechanics.md", *sorted((ROOT / "docs" / "mechanics").glob("*.md")))

Value = Fraction | str | None  # A number, words, or nothing at all ("none").


class Line(NamedTuple):
    """One line of an example: who acts, and the words; `expects` begins with `=>`."""

    number: int  # Within its page.
    who: str
    expects: bool
    words: list[str]


class Example(NamedTuple):
    """One fenced block of a page."""

    name: str  # The page and the line it begins on.
    lines: list[Line]


def examples(page: Path) -> list[Example]:
    """Every block of a page that is fenced as ```mechanics."""
    found: list[Example] = []
    inside = False
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if text.startswith("```"):
            inside = text == "```mechanics"
            if inside:
                found.append(Example(f"{page.stem}:{number}", []))
        elif inside:
            line = read_line(number, text)
            if line is not None:
                found[-1].lines.append(line)
    return found


def read_line(number: int, text: str) -> Line | None:
    """A line without its comment; None where there is nothing else."""
    words = text.partition("#")[0].split()
    if not words:
        return None
    who = "you"
    if words[0].endswith(":"):
        who = words.pop(0)[:-1]
    expects = words[0] == "=>"
    return Line(number, who, expects, words[1:] if expects else words)


def number(text: str) -> Fraction:
    """Decimal text, or a percent."""
    if text.endswith("%"):
        return Fraction(text[:-1]) / 100
    return Fraction(text)


def agrees(value: Value, expected: str) -> bool:
    """Whether a value is what the text says, to the last digit.

    A number that ends in ".." is told as far as its digits go, and cut off there.
    """
    if value is None or isinstance(value, str):
        return (value or "none") == expected
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?%?(\.\.)?", expected):
        return False
    if not expected.endswith(".."):
        return value == number(expected)
    shown = expected[:-2]
    told = number(shown)
    places = len(shown.rstrip("%").partition(".")[2]) + (2 if shown.endswith("%") else 0)
    scaled = abs(value) * 10**places
    cut = Fraction(scaled.numerator // scaled.denominator, 10**places)
    return cut != abs(value) and told == (cut if value >= 0 else -cut)


def shown(value: Value) -> str:
    """A value as an example would tell it, for the message of a test that fails."""
    if not isinstance(value, Fraction):
        return value or "none"
    scaled = value * 10**16
    if scaled.denominator == 1:
        text = f"{abs(scaled.numerator):017d}"
        text = f"{text[:-16]}.{text[-16:]}".rstrip("0").rstrip(".")
        return f"-{text}" if value < 0 else text
    return f"{float(value):.14g} (not exact)"
