"""The project's copies of the design's test vectors, and how a test reads them.

Each file here holds `tables` and `vectors`, copied word for word, so that the tests stand alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from matching.instrument import minor

HERE = Path(__file__).resolve().parent
ROUNDINGS = {"HALF_UP": ROUND_HALF_UP, "HALF_EVEN": ROUND_HALF_EVEN}


@cache
def copied(name: str) -> dict[str, Any]:
    """A copied file: its tables, and its vectors by id."""
    document = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return {
        "tables": document["tables"],
        "vectors": {vector["id"]: vector for vector in document["vectors"]},
    }


def vectors(name: str, kinds: Iterable[str]) -> list[Any]:
    """The vectors of some kinds as parameters of a test, each under its id."""
    wanted = set(kinds)
    found = [
        pytest.param(vector, id=id_)
        for id_, vector in copied(name)["vectors"].items()
        if vector["kind"] in wanted
    ]
    assert found, f"no vector of the kinds {sorted(wanted)} in {name}"
    return found


def exact(text: str, places: int = 8) -> int:
    """Decimal text as a whole number of 10^-places."""
    number = minor(text, places, signed=True)
    assert isinstance(number, int), f"{text}: {number}"
    return number


def agrees(value: Fraction, expected: str | dict[str, Any]) -> bool:
    """Does a value equal the expected figure: exactly, or as it is shown once rounded?"""
    if isinstance(expected, str):
        return value == Fraction(expected)
    with localcontext() as context:
        context.prec = 60
        number = Decimal(value.numerator) / Decimal(value.denominator)
        step = Decimal(1).scaleb(-expected["places"])
        rounded = number.quantize(step, ROUNDINGS[expected["rounding"]])
        return rounded == Decimal(expected["shown"])
