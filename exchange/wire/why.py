"""Reason trees on the wire, and the preview of an order, which has them beforehand."""

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


class PreviewSay(Say):
    """What an order would cost and risk, before it is sent; refused orders say why."""

    accepted: bool
    reason: str | None
    message: str | None
    fee: str | None
    fee_asset: str | None
    margin_required: str | None
    borrow: str | None
    borrow_asset: str | None
    liquidation_price: str | None
    margin_call_price: str | None
    interest_per_day: str | None
    next_funding: str | None  # Paid if positive, of the asset the contract settles in.
    # Of a perpetual: the position once all of it is filled, long, short or flat.
    side_after: str | None = None
    qty_after: str | None = None
    entry_after: str | None = None
    # What `why` will say after: of the fills it would take at once, or of its refusal.
    why: list[WhySay] = msgspec.field(default_factory=list)
