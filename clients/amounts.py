"""Numbers on their way to the wire: decimals and whole numbers as plain text, never floats."""

from __future__ import annotations

from decimal import Decimal

Number = Decimal | int | str


def text_of(number: Number) -> str:
    """A number as the wire wants it: digits and a point, no exponent.

    Text goes through as it is, for the exchange to judge.  A float is a TypeError: 0.1 is not a
    tenth, and a price that is nearly right is off its tick.
    """
    if isinstance(number, str):
        return number
    if isinstance(number, bool) or not isinstance(number, (Decimal, int)):
        raise TypeError(f"a Decimal, int or str is needed, not {type(number).__name__}")
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError(f"a finite number is needed, not {number}")
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def maybe_text(number: Number | None) -> str | None:
    """The same, where there may be no number."""
    return None if number is None else text_of(number)
