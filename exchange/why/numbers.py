"""The numbers of a refusal as decimal text: a name ends in the unit it is counted in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from matching.instrument import Instrument, amount_text

Numbers = Mapping[str, int | str]

# By ending: the power of ten, and whether the unit is the asset's (or else the quote, or none).
_SCALES: Final = {
    "minor": (8, "asset"),
    "e4": (4, ""),
    "e8": (8, "quote"),
    "e12": (12, ""),
    "e16": (16, "quote"),
    "e18": (18, "asset"),
    "e28": (28, "quote"),
}


class Amount(NamedTuple):
    """A number of 10^-scale, by its name without the ending, and its unit."""

    name: str
    amount: int
    scale: int
    unit: str

    @property
    def text(self) -> str:
        """The number as decimal text."""
        return amount_text(self.amount, self.scale)


def amounts(
    numbers: Numbers, instrument: Instrument | None, quote: str
) -> list[Amount | tuple[str, str]]:
    """What a refusal told, in its order: amounts, and (name, text) of what is no number."""
    asset = str(numbers.get("asset", instrument.settle if instrument else quote))
    priced_in = instrument.quote if instrument else quote
    return [
        _amount(name, value, instrument, (asset, priced_in))
        if isinstance(value, int)
        else (name, value)
        for name, value in numbers.items()
        if name != "rule"
    ]


def _amount(name: str, value: int, instrument: Instrument | None, units: tuple[str, str]) -> Amount:
    asset, quote = units
    bare, _, ending = name.rpartition("_")
    if ending == "ms":
        return Amount(bare, value, 0, "ms")
    if ending == "ticks" and instrument is not None:
        return Amount(bare, value * instrument.tick_e8, 8, instrument.quote)
    if ending == "lots" and instrument is not None:
        unit = instrument.quote if instrument.kind == "inverse" else instrument.base
        return Amount(bare, value * instrument.face_minor, 8, unit)
    if bare and ending in _SCALES:
        scale, unit = _SCALES[ending]
        return Amount(bare, value, scale, {"asset": asset, "quote": quote}.get(unit, ""))
    return Amount(name, value, 0, "")


def texts(numbers: Numbers, instrument: Instrument | None, quote: str) -> dict[str, str]:
    """The same as a refusal on the wire has them: names without endings, decimal text."""
    found = {"rule": str(numbers["rule"])} if "rule" in numbers else {}
    for each in amounts(numbers, instrument, quote):
        if isinstance(each, Amount):
            found[each.name] = each.text
        else:
            found[each[0]] = each[1]
    return found
