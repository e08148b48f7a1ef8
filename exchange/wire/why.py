"""Reason trees on the wire: what was decided, by which rule, from which numbers."""

from __future__ import annotations

import msgspec

from exchange.wire.says import Say


class WhyInput(Say):
    """A number that was there when it was decided; `from` says where it came from."""

    name: str
    value: str
    unit: str
    source: str = msgspec.field(name="from")


class WhyStep(Say):
    """One thing that was reckoned or compared: its formula, and the same with the numbers put in.

    Formulas know + - * / and comparisons, min, max, abs, and the roundings ceil(x, places),
    floor(x, places) and half_even(x, places). They name inputs and the steps before them. The
    value is decimal text, or "true" or "false".
    """

    name: str
    says: str
    formula: str
    filled: str = msgspec.field(name="with")
    value: str
    unit: str


class WhySay(Say):
    """A reason tree: of a reject, a fill, an interest, a funding, a call, a liquidation, an adl."""

    kind: str
    id: str
    seq: int
    ts: int
    rule: str
    says: str
    inputs: list[WhyInput]
    steps: list[WhyStep]
    thresholds: list[WhyStep]
    children: list[WhySay]
