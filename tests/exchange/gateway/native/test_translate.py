"""Every event as a native message, its numbers by hand."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from exchange.events import (
    Answered,
    AnyEvent,
    AuctionIndicated,
    AuctionUncrossed,
    BalanceChanged,
    DepthChanged,
    Filled,
    FundCovered,
    FundingFixed,
    IndexPriced,
    InterestFixed,
    LedgerPosted,
    Liquidated,
    LoanWrittenOff,
    Marked,
    OrderChanged,
    PositionChanged,
    PrivateEvent,
    SymbolStateChanged,
    Traded,
)
from exchange.gateway.native.translate import CHANNEL_OF, private_say, said
from exchange.wire import (
    PRIVATE_CHANNELS,
    BalanceSay,
    BookDiffSay,
    FillSay,
    FundingSay,
    LedgerSay,
    MarginSay,
    MarkSay,
    OrderListSay,
    OrderSay,
    PositionSay,
    TradeSay,
)
from exchange.wire.stream import LiquidationSay, StatusSay
from matching.reasons import Reason
from matching.types import OrderType, Side, Status, TimeInForce
from tests.exchange.events_by_hand import (
    EVENT_KINDS,
    INSTRUMENTS,
    PERP,
    SPOT,
    START_MS,
    DeskByHand,
    event,
)

DESK = DeskByHand()
# What a client decodes each private channel's data as.
SAY_OF = {
    "lists": OrderListSay,
    "orders": OrderSay,
    "fills": FillSay,
    "balances": BalanceSay,
    "positions": PositionSay,
    "ledger": LedgerSay,
    "margin": MarginSay,
}


def told(happened: AnyEvent) -> tuple[str, Any]:
    message = said(happened, INSTRUMENTS, DESK)
    assert message is not None
    return message


def test_every_event_there_is_has_a_place() -> None:
    assert set(EVENT_KINDS) == set(get_args(AnyEvent))
    for kind in EVENT_KINDS:
        message = said(event(kind), INSTRUMENTS, DESK)
        assert (message is None) is (kind is Answered), kind


@pytest.mark.parametrize("kind", get_args(PrivateEvent))
def test_a_private_event_reads_as_its_channels_record(kind: type) -> None:
    channel, say = told(event(kind))
    assert channel == CHANNEL_OF[kind]
    assert channel in PRIVATE_CHANNELS
    assert private_say(event(kind), INSTRUMENTS, DESK) == say
    encoded = msgspec.json.encode(say)
    assert msgspec.json.decode(encoded, type=SAY_OF[channel])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(say), type=SAY_OF[channel])


def test_an_order_is_told_in_decimal_text() -> None:
    half = event(
        OrderChanged,
        filled_lots=400,
        filled_units=400 * 4_999_000,
        open_lots=600,
        status=Status.PARTIALLY_FILLED,
        time_ms=START_MS + 9,
    )
    channel, say = told(half)
    assert channel == "orders"
    assert say == OrderSay(
        order_id=7,
        client_id="mine",
        symbol="BTC-USDT",
        side="buy",
        type="limit",
        tif="GTC",
        price="50000.00",
        qty="0.01000",
        quote_qty=None,
        filled_qty="0.00400",
        filled_quote="199.96",  # 0.004 x 49990.00
        average_price="49990",
        prevented_qty="0.00000",
        open_qty="0.00600",
        status="partially_filled",
        wallet="spot",
        post_only=False,
        reduce_only=False,
        side_effect="none",
        forced=False,
        expire_ms=None,
        placed_ms=START_MS,
        updated_ms=START_MS + 9,
        reason=None,
    )


def test_a_market_order_by_amount_names_no_price_and_no_quantity() -> None:
    by_amount = event(
        OrderChanged,
        type=OrderType.MARKET,
        tif=TimeInForce.IOC,
        price_ticks=0,
        lots=0,
        open_lots=0,
        quote_minor=2_500_000_000,
        side_effect=1,
        status=Status.EXPIRED,
        reason=Reason.NO_LIQUIDITY,
        expire_ms=5,
    )
    _, say = told(by_amount)
    assert (say.type, say.tif, say.price, say.qty) == ("market", "IOC", None, None)
    assert (say.quote_qty, say.side_effect, say.expire_ms) == ("25", "borrow", 5)
    assert (say.status, say.reason, say.average_price) == ("expired", "NO_LIQUIDITY", None)


def test_a_fill_tells_realised_profit_of_perpetuals_alone() -> None:
    _, spot = told(event(Filled))
    # 50000.00 x 0.01 = 500 USDT.
    assert (spot.price, spot.qty, spot.quote, spot.realised) == ("50000.00", "0.01000", "500", None)
    assert (spot.fee, spot.fee_asset, spot.maker) == ("0.00001", "BTC", True)
    perp = event(
        Filled, symbol=PERP.symbol, price_ticks=500_000, lots=20, realised_minor=-150_000_000
    )
    _, say = told(perp)
    # 50000.0 x 0.020 = 1000 USDT.
    assert (say.quote, say.realised) == ("1000", "-1.5")


def test_a_balance_owes_to_the_eighteenth_place() -> None:
    _, say = told(event(BalanceChanged))
    assert say == BalanceSay(
        wallet="margin",
        asset="BTC",
        total="3",
        free="2",
        locked="1",
        borrowed="2",
        interest="0.000000000000000001",
        net="0.999999999999999999",  # 3 - 2 - 10^-18
    )


def test_a_posting_is_told_with_its_sign() -> None:
    _, say = told(event(LedgerPosted))
    assert say == LedgerSay("spot", "USDT", "-500", "99500", "trade", 3, START_MS)


def test_a_position_is_told_at_the_present_mark() -> None:
    channel, say = told(event(PositionChanged))
    assert channel == "positions"
    assert say == DESK.position(event(PositionChanged))


def test_a_trade_is_synthetic_where_no_command_made_it() -> None:
    channel, say = told(event(Traded, taker_side=Side.SELL, forced=True))
    assert channel == "trades.BTC-USDT"
    assert say == TradeSay(1, "BTC-USDT", "50000.00", "0.01000", "sell", START_MS, True, False)
    assert told(event(Traded, seq=0))[1].synthetic


def test_a_level_that_is_gone_has_no_quantity() -> None:
    change = event(DepthChanged, first_id=4, last_id=5, bids=[(100, 3)], asks=[(200, 0)])
    channel, say = told(change)
    assert channel == "book.BTC-USDT"
    assert say == BookDiffSay("BTC-USDT", 4, 5, [("1.00", "0.00003")], [("2.00", "0")])


def test_a_perpetual_has_a_mark_and_a_spot_pair_an_index_alone() -> None:
    channel, say = told(event(Marked))
    assert channel == "mark.BTC-USDT-PERP"
    next_ms = START_MS + 8 * 3_600_000
    assert say == MarkSay(PERP.symbol, "50000", "50000.5", "0.0001", next_ms, "2.000", START_MS)
    channel, say = told(event(IndexPriced))
    assert channel == "mark.BTC-USDT"
    assert say == MarkSay(SPOT.symbol, "50000", None, None, None, None, START_MS)


def test_funding_is_told_at_its_boundary() -> None:
    channel, say = told(event(FundingFixed, time_ms=START_MS + 3))
    assert channel == "funding.BTC-USDT-PERP"
    assert say == FundingSay(PERP.symbol, START_MS, "0.0001", "50000", False)


NEWS = (
    InterestFixed,
    SymbolStateChanged,
    FundCovered,
    LoanWrittenOff,
    AuctionIndicated,
    AuctionUncrossed,
)


def test_news_of_the_venue_say_that_it_is_paper() -> None:
    for kind in NEWS:
        channel, say = told(event(kind))
        assert channel == "status"
        assert isinstance(say, StatusSay)
        assert say.env == "paper"
    assert told(event(InterestFixed))[1].rates == {"BTC": "0.000003"}
    assert told(event(SymbolStateChanged))[1].state == "halt"
    covered = told(event(FundCovered))[1]
    assert (covered.paid, covered.balance) == ("1", "-0.5")
    found = told(event(AuctionUncrossed))[1]
    assert (found.event, found.price, found.qty) == ("auction_uncrossed", "50000.00", "0.01000")
    assert told(event(AuctionIndicated))[1].imbalance == "-0.00500"
    assert told(event(AuctionIndicated, lots=0))[1].price is msgspec.UNSET
    lost = told(event(LoanWrittenOff))[1]
    assert (lost.asset, lost.lost, lost.balance) == ("USDT", "1", "-2.5")


def test_a_forced_trade_has_no_name() -> None:
    channel, say = told(event(Liquidated))
    assert channel == "liquidations"
    assert say == LiquidationSay(PERP.symbol, "sell", "1.000", "50000.0", START_MS)
