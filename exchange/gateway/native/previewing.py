"""A preview as a native message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.preview import Preview
from exchange.why.fills import fill_tree
from exchange.why.rejects import reject_tree
from exchange.wire import PreviewSay, WhySay
from matching.instrument import Instrument, amount_text

FILLS_TOLD_MAX: Final = 20  # A large order sweeps a book; its first fills say what it is like.


def preview_say(
    preview: Preview, instruments: Mapping[str, Instrument], quote: str, message: str | None
) -> PreviewSay:
    """What an order would cost and risk; a refused one says why, and its numbers all the same.

    `message` is the refusal in words, None of one that would be accepted.
    """
    return PreviewSay(
        accepted=preview.reason is None,
        reason=preview.reason.name if preview.reason else None,
        message=message,
        fee=_text(preview.fee_minor),
        fee_asset=preview.fee_asset,
        margin_required=_text(preview.margin_minor),
        borrow=_text(preview.borrow_minor),
        borrow_asset=preview.borrow_asset,
        liquidation_price=_text(preview.liquidation_e8),
        margin_call_price=_text(preview.call_e8),
        interest_per_day=_text(preview.interest_day_minor),
        next_funding=_text(preview.funding_minor),
        **_position(preview, instruments),
        why=_why(preview, instruments, quote),
    )


def _position(preview: Preview, instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """The position as it would be, where the order is of a perpetual."""
    if preview.lots is None:
        return {}
    side = "long" if preview.lots > 0 else "short" if preview.lots else "flat"
    qty = instruments[preview.symbol].qty_text(abs(preview.lots))
    entry = {"entry_after": amount_text(preview.entry_e8)} if preview.lots else {}
    return {"side_after": side, "qty_after": qty, **entry}


def _why(preview: Preview, instruments: Mapping[str, Instrument], quote: str) -> list[WhySay]:
    """What `why` will say after: of each fill, or of the refusal."""
    if preview.refusal is not None:
        return [reject_tree(preview.refusal, instruments, quote)]
    return [fill_tree(fill, instruments[fill.symbol]) for fill in preview.fills[:FILLS_TOLD_MAX]]


def _text(amount: int | None) -> str | None:
    return None if amount is None else amount_text(amount)
