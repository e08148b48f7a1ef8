"""A preview as a message."""

from __future__ import annotations

from exchange.events import Filled
from exchange.gateway.native.previewing import FILLS_TOLD_MAX, preview_say
from exchange.preview import Preview
from exchange.wire import PreviewSay
from matching.reasons import Reason
from matching.types import Side
from tests.exchange.events_by_hand import INSTRUMENTS, PERP, SPOT


def test_amounts_become_text_and_what_does_not_apply_stays_out() -> None:
    preview = Preview(None, 250_000_000, "USDT", 50_000_000_000, liquidation_e8=10**12)
    said = preview_say(preview, INSTRUMENTS, "USDT", None)
    assert (said.accepted, said.reason, said.message) == (True, None, None)
    assert (said.fee, said.fee_asset, said.margin_required) == ("2.5", "USDT", "500")
    assert said.liquidation_price == "10000"
    assert (said.borrow, said.interest_per_day, said.margin_call_price) == (None, None, None)
    assert (said.side_after, said.qty_after, said.entry_after) == (None, None, None)


def test_a_perpetual_is_told_with_the_position_it_would_be() -> None:
    def said(lots: int, entry_e8: int) -> PreviewSay:
        preview = Preview(None, lots=lots, entry_e8=entry_e8, symbol=PERP.symbol)
        return preview_say(preview, INSTRUMENTS, "USDT", None)

    short = said(-200, 50_000 * 10**8)
    assert (short.side_after, short.qty_after, short.entry_after) == ("short", "0.200", "50000")
    flat = said(0, 0)
    assert (flat.side_after, flat.qty_after, flat.entry_after) == ("flat", "0.000", None)


def test_a_refused_order_says_why() -> None:
    said = preview_say(Preview(Reason.INSUFFICIENT_MARGIN), INSTRUMENTS, "USDT", "no")
    assert (said.accepted, said.reason) == (False, "INSUFFICIENT_MARGIN")
    assert said.message == "no"
    assert said.why == []


def test_a_sweep_tells_the_trees_of_its_first_fills() -> None:
    fills = tuple(
        Filled(0, 1, 7, 0, 0, SPOT.symbol, 0, "", Side.BUY, n, 5, False, 0, "BTC", 0, "spot")
        for n in range(1, 30)
    )
    said = preview_say(Preview(None, fills=fills), INSTRUMENTS, "USDT", None)
    assert [tree.inputs[2].value for tree in said.why] == [
        SPOT.price_text(n).rstrip("0").rstrip(".") for n in range(1, FILLS_TOLD_MAX + 1)
    ]
