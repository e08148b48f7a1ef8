"""What the history keeps of events as JSON: the numbers by which something was decided."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from exchange.events import AnyEvent

# What a row's `detail` holds of its event, in this order; only appended to.
FILL_DETAIL: Final = (
    "rate_e12",
    "lots_before",
    "cost_before_minor",
    "margin_before_minor",
    "margin_after_minor",
    "leverage",
    "discount_e12",
    "price_e8",
    "paid_e8",
)
FUNDING_DETAIL: Final = (
    "average_e12",
    "samples",
    "interest_e12",
    "clamp_e12",
    "cap_e12",
    "interval_ms",
)
CALL_DETAIL: Final = ("assets", "debts")
STARTED_DETAIL: Final = (
    "assets_e16",
    "debt_e16",
    "bound_e12",
    "assets",
    "debts",
    "positions",
)
ADL_DETAIL: Final = (
    "leg",
    "side",
    "lots",
    "price_ticks",
    "rank",
    "score_e12",
    "asset",
    "realised_minor",
    "lots_before",
    "cost_before_minor",
    "mark_e8",
    "equity_e16",
)
STEPPED_DETAIL: Final = ("rate_e12", "base_minor", "left_minor")

_encode: Final = msgspec.json.Encoder().encode


def detail_of(event: AnyEvent, names: tuple[str, ...]) -> str:
    """Some fields of an event as JSON; see `detailed`."""
    values = [getattr(event, name) for name in names]
    try:
        return _encode(values).decode()
    except OverflowError:  # A number of more than 64 bits.
        return json.dumps(values, separators=(",", ":"))


def detailed(text: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields of an event that a row keeps as JSON; none where it was written before them."""
    return dict(zip(names, json.loads(text), strict=False)) if text else {}
