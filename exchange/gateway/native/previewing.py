"""A preview as a native message."""

from __future__ import annotations

from exchange.preview import Preview
from exchange.wire import PreviewSay
from matching.instrument import amount_text


def preview_say(preview: Preview) -> PreviewSay:
    """What an order would cost and risk; a refused one says why, and its numbers all the same."""
    return PreviewSay(
        accepted=preview.reason is None,
        reason=preview.reason.name if preview.reason else None,
        message=preview.reason.value if preview.reason else None,
        fee=_text(preview.fee_minor),
        fee_asset=preview.fee_asset,
        margin_required=_text(preview.margin_minor),
        borrow=_text(preview.borrow_minor),
        borrow_asset=preview.borrow_asset,
        liquidation_price=_text(preview.liquidation_e8),
        margin_call_price=_text(preview.call_e8),
        interest_per_day=_text(preview.interest_day_minor),
        next_funding=_text(preview.funding_minor),
    )


def _text(amount: int | None) -> str | None:
    return None if amount is None else amount_text(amount)
