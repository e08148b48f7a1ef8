"""The project's copy of the design's test vectors, and how a test reads them.

vectors.json is copied word for word, so that the tests stand alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from matching.instrument import minor

HERE = Path(__file__).resolve().parent
On = Literal["engine", "function", "convention"]  # See docs/vectors.md.
ROUNDINGS = {"HALF_UP": ROUND_HALF_UP, "HALF_EVEN": ROUND_HALF_EVEN}


RUN_ON: Final[list[tuple[Any, On]]] = []  # Each parameter that was asked for, and `on`.


@cache
def document() -> dict[str, Any]:
    """The copied file: its `tables`, and its `vectors` by id."""
    copy = json.loads((HERE / "vectors.json").read_text("utf-8"))
    return {
        "tables": copy["tables"],
        "vectors": {vector["id"]: vector for vector in copy["vectors"]},
    }


def tables() -> dict[str, Any]:
    """The tables that vectors refer to, by name."""
    found: dict[str, Any] = document()["tables"]
    return found


def vectors(
    kinds: Iterable[str], *, on: On, default: bool = True, ids: Iterable[str] = ()
) -> list[Any]:
    """The vectors of some kinds as parameters of a test, each under its id.

    Those of the product's own rules, or (`default=False`) those of a switch or of another venue's
    convention; `ids` picks some. `on` says what the test runs them on: the table in
    docs/vectors.md is made of it.
    """
    wanted, picked = set(kinds), set(ids)
    found: list[Any] = []
    for id_, vector in document()["vectors"].items():
        fits = vector["kind"] in wanted and vector["default"] is default
        if fits and (not picked or id_ in picked):
            found.append(pytest.param(vector, id=id_))
            RUN_ON.append((found[-1], on))
    missing = picked - {each.id for each in found}
    assert found, f"no vector of the kinds {sorted(wanted)}"
    assert not missing, f"no vector of the kinds {sorted(wanted)} is one of {sorted(missing)}"
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
