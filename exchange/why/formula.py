"""Formulas of reason trees: reckoned exactly, and written out with the numbers put in."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Final

PLACES_MAX: Final = 60  # No number of the exchange has more places.

_NAME: Final = re.compile(r"\b[a-z_][a-z0-9_]*\b")


def _floor(amount: Fraction, places: Fraction) -> Fraction:
    scale = 10 ** int(places)
    return Fraction(math.floor(amount * scale), scale)


def _ceil(amount: Fraction, places: Fraction) -> Fraction:
    return -_floor(-amount, places)


def _half_even(amount: Fraction, places: Fraction) -> Fraction:
    scale = 10 ** int(places)
    return Fraction(round(amount * scale), scale)  # `round` of a Fraction is half-even.


_FUNCTIONS: Final[dict[str, Callable[..., Fraction]]] = {
    "ceil": _ceil,
    "floor": _floor,
    "half_even": _half_even,
    "min": min,
    "max": max,
    "abs": abs,
}
_OPERATIONS: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}


@cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def reckoned(formula: str, values: Mapping[str, Fraction]) -> Fraction | bool:
    """What a formula comes to, exactly. A name without a value is a bug (KeyError)."""
    value: Fraction | bool = _value(_parsed(formula), values)
    return value


def _value(node: ast.expr, values: Mapping[str, Fraction]) -> Any:
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _OPERATIONS[type(op)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_value(each, values) for each in arguments))
    raise AssertionError(f"no formula has {ast.dump(node)}")


def filled(formula: str, texts: Mapping[str, str]) -> str:
    """The formula with the numbers put in; negative ones in brackets."""

    def put(found: re.Match[str]) -> str:
        name = found.group()
        if name in _FUNCTIONS:
            return name
        text = texts[name]
        return f"({text})" if text.startswith("-") else text

    return _NAME.sub(put, formula)


def decimal_text(value: Fraction | bool) -> str:
    """A number as decimal text, to its last place; a comparison as "true" or "false".

    A number that has no last place is a bug: such a formula must say how it is rounded.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    for places in range(PLACES_MAX):
        scaled = value * 10**places
        if scaled.denominator == 1:
            return _written(scaled.numerator, places)
    raise AssertionError(f"{value} has no last place")


def _written(amount: int, places: int) -> str:
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).zfill(places + 1)
    whole, rest = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{sign}{whole}.{rest}" if places else f"{sign}{whole}"
