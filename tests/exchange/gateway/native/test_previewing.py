"""A preview as a message."""

from __future__ import annotations

from exchange.gateway.native.previewing import preview_say
from exchange.preview import Preview
from matching.reasons import Reason


def test_amounts_become_text_and_what_does_not_apply_stays_out() -> None:
    said = preview_say(Preview(None, 250_000_000, "USDT", 50_000_000_000, liquidation_e8=10**12))
    assert (said.accepted, said.reason, said.message) == (True, None, None)
    assert (said.fee, said.fee_asset, said.margin_required) == ("2.5", "USDT", "500")
    assert said.liquidation_price == "10000"
    assert (said.borrow, said.interest_per_day, said.margin_call_price) == (None, None, None)


def test_a_refused_order_says_why() -> None:
    said = preview_say(Preview(Reason.INSUFFICIENT_MARGIN))
    assert (said.accepted, said.reason) == (False, "INSUFFICIENT_MARGIN")
    assert said.message == Reason.INSUFFICIENT_MARGIN.value
