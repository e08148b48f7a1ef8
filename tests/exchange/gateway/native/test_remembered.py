"""The past as messages: it reads like the present did."""

from __future__ import annotations

from exchange.config import default_venue
from exchange.gateway.native.remembered import ledger_row_say, open_order_say, order_row_say
from exchange.storage.rows import LedgerRow, OrderRow
from exchange.wire import LedgerSay
from matching.types import Order, OrderType, Side, Status, TimeInForce

VENUE = default_venue(1, 1_700_000_000_000, symbols=["BTC-USDT"])
INSTRUMENTS = {instrument.symbol: instrument for instrument in VENUE.instruments}


def row(**changed: object) -> OrderRow:
    fields: dict[str, object] = {
        "order_id": 7,
        "account_id": 100,
        "symbol": "BTC-USDT",
        "side": 1,
        "type": 0,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "filled_lots": 400,
        "filled_units": 400 * 5_000_000,
        "status": Status.PARTIALLY_FILLED,
        "client_id": "mine",
        "time_ms": 1_000,
        "updated_ms": 2_000,
        "reason": None,
        "wallet": "spot",
        "is_open": True,
    }
    return OrderRow(**{**fields, **changed})  # type: ignore[arg-type]


def test_a_row_and_the_open_order_it_was_made_of_say_the_same() -> None:
    order = Order(
        order_id=7,
        account_id=100,
        symbol="BTC-USDT",
        side=Side.SELL,
        type=OrderType.LIMIT,
        price_ticks=5_000_000,
        lots=1_000,
        client_id="mine",
        time_ms=1_000,
    )
    order.filled_lots, order.open_lots, order.filled_units = 400, 600, 400 * 5_000_000
    order.status = Status.PARTIALLY_FILLED
    said = open_order_say(order, INSTRUMENTS, 2_000)
    assert order_row_say(row(), INSTRUMENTS) == said
    # 0.01 of which 0.004 is filled: at 50,000 that is 200.
    assert (said.qty, said.filled_qty, said.open_qty) == ("0.01000", "0.00400", "0.00600")
    assert (said.filled_quote, said.average_price) == ("200", "50000")


def test_what_is_closed_has_nothing_open_and_says_why() -> None:
    closed = row(status=Status.EXPIRED, is_open=False, reason="NO_LIQUIDITY", tif=TimeInForce.IOC)
    said = order_row_say(closed, INSTRUMENTS)
    assert (said.open_qty, said.status, said.reason) == ("0.00000", "expired", "NO_LIQUIDITY")
    assert said.tif == "IOC"


def test_a_posting_reads_as_money() -> None:
    posting = LedgerRow(100, 5, "spot", "USDT", -150_000_000, 850_000_000, "fee", 7, 3_000)
    assert ledger_row_say(posting, INSTRUMENTS) == LedgerSay(
        "spot", "USDT", "-1.5", "8.5", "fee", 7, 3_000
    )


def test_p1_p2_a_kept_order_of_a_coin_contract_tells_its_leg_and_its_harmonic_mean() -> None:
    venue = default_venue(1, 1_700_000_000_000, symbols=["BTC-USDT", "BTC-USD-PERP"])
    known = {instrument.symbol: instrument for instrument in venue.instruments}
    # 2 contracts at 40,000 and 2 at 60,000: 400 USD came to 0.005 + 0.00333333 BTC.
    kept = row(
        symbol="BTC-USD-PERP",
        lots=4,
        filled_lots=4,
        filled_units=2 * 400_000 + 2 * 600_000,
        filled_minor=833_333,
        position_side=2,
        status=Status.FILLED,
        is_open=False,
    )
    said = order_row_say(kept, known)
    assert (said.position_side, said.filled_quote) == ("short", "400")
    assert said.average_price is not None
    assert said.average_price.startswith("48000.01")  # 400 / 0.00833333, and not 50,000.
