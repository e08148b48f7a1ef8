"""Tests of what the desk knows."""

from decimal import Decimal

import pytest

from clients.terminal.desk import CANDLES_KEPT, Desk, Gauge, percent
from exchange.wire import BookDiffSay, LoanSay
from tests.clients.terminal.events import (
    PERP,
    SPOT,
    account,
    balance,
    book,
    candle,
    event,
    fill,
    mark,
    new_desk,
    notice,
    position,
    ticker,
    trade,
)
from tests.clients.wire_samples import WITH_INVERSE, margin, open_order


def log(desk) -> list[str]:
    return [line.text for line in desk.lines]


def test_it_follows_the_book_of_the_symbol_it_looks_at() -> None:
    desk = new_desk()
    desk.hear(book())
    desk.hear(book(PERP))
    desk.hear(event(f"book.{SPOT}", BookDiffSay(SPOT, 6, 6, [("49999", "0")], [])))
    assert desk.book.best_bid == (Decimal(49998), Decimal(4))
    assert desk.book.last_id == 6


def test_after_a_gap_in_the_book_it_waits_for_the_next_snapshot() -> None:
    desk = new_desk()
    desk.hear(book())
    desk.hear(event(f"book.{SPOT}", BookDiffSay(SPOT, 9, 9, [], [])))
    assert desk.book.best_bid is None
    desk.hear(book())
    assert desk.book.best_bid is not None


def test_trades_of_the_symbol_come_newest_first_with_history_behind() -> None:
    desk = new_desk()
    desk.hear(trade(11, "50011"))
    desk.hear(trade(12, "50012"))
    desk.hear(trade(13, symbol=PERP))
    desk.fill_in([], [trade(number).data for number in (11, 10, 9)])
    assert [say.trade_id for say in desk.trades] == [12, 11, 10, 9]
    assert desk.last_price() == 50012


def test_before_any_trade_the_ticker_tells_the_last_price() -> None:
    desk = new_desk()
    assert desk.last_price() is None
    desk.hear(ticker())
    assert desk.last_price() == 50000


def test_what_was_heard_stands_over_older_history() -> None:
    desk = new_desk()
    desk.hear(event(f"candles.1m.{SPOT}", candle(2, "50050", closed=False)))
    desk.fill_in([candle(0), candle(1), candle(2, "50020", closed=False)], [])
    closes = [say.close for say in desk.candles.values()]
    assert closes == ["50000", "50000", "50050"]


def test_the_oldest_candles_are_forgotten() -> None:
    desk = new_desk()
    desk.fill_in([candle(minute) for minute in range(CANDLES_KEPT + 3)], [])
    assert len(desk.candles) == CANDLES_KEPT
    assert next(iter(desk.candles)) == candle(3).open_time


def test_looking_at_another_symbol_forgets_the_market_but_not_the_account() -> None:
    desk = new_desk()
    for each in (book(), trade(1), account(), ticker()):
        desk.hear(each)
    desk.choose(PERP, "5m")
    assert desk.perpetual
    assert (list(desk.trades), desk.candles, desk.book.best_bid) == ([], {}, None)
    assert desk.balances
    assert desk.tickers
    assert desk.market_channels() == (f"book.{PERP}", f"trades.{PERP}", f"candles.5m.{PERP}")


def test_it_listens_to_the_account_and_to_every_ticker_and_mark() -> None:
    channels = new_desk().standing_channels()
    assert {"orders", "fills", "margin", f"ticker.{SPOT}", f"mark.{PERP}"} <= set(channels)


def test_the_account_as_it_stands_replaces_what_was_known() -> None:
    desk = new_desk()
    desk.hear(event("positions", position()))
    desk.hear(event("orders", open_order(1, SPOT, "buy", "1", "1")))
    loans = [LoanSay("margin", "BTC", "1", "0.1", "0.00002")]
    settings = {"margin_leverage": 3, "symbols": {PERP: {"leverage": 5, "margin_mode": "isolated"}}}
    desk.hear(account(loans=loans, margins=[margin("perp")], settings=settings))
    assert (desk.positions, desk.orders, desk.account_id) == ({}, {}, 100)
    assert desk.rates == {"BTC": "0.00002"}
    assert desk.modes == {PERP: "isolated"}
    assert set(desk.margins) == {"perp"}


def test_open_orders_come_and_go() -> None:
    desk = new_desk()
    first, second = (open_order(number, SPOT, "buy", "1", "1") for number in (1, 2))
    desk.open_orders([first])
    desk.hear(event("orders", second))
    assert sorted(desk.orders) == [1, 2]
    for status in ("filled", "cancelled"):
        desk.hear(event("orders", open_order(2, SPOT, "buy", "1", "1", status=status)))
        assert sorted(desk.orders) == [1]
    assert log(desk) == []


@pytest.mark.parametrize("status", ["expired", "rejected"])
def test_an_order_that_ended_unasked_is_told(status: str) -> None:
    desk = new_desk()
    desk.hear(
        event(
            "orders", open_order(2, SPOT, "buy", "1", "0.5", status=status, reason="NO_LIQUIDITY")
        )
    )
    assert log(desk) == [f"buy 0.5 BTC-USDT {status}: NO_LIQUIDITY"]


def test_fills_are_told_with_fee_and_profit() -> None:
    desk = new_desk()
    desk.hear(fill())
    desk.hear(fill("sell", realised="12.5", fee_asset="USDT"))
    assert log(desk) == [
        "bought 0.1 BTC-USDT at 50001, fee 0.0001 BTC",
        "sold 0.1 BTC-USDT at 50001, fee 0.0001 USDT, made 12.5",
    ]


def test_a_position_ends_when_nothing_of_it_is_left() -> None:
    desk = new_desk()
    desk.hear(event("positions", position()))
    assert set(desk.positions) == {PERP}
    desk.hear(event("positions", position(qty="0")))
    assert desk.positions == {}


@pytest.mark.parametrize(("side", "profit"), [("long", 100), ("short", -100)])
def test_profit_is_reckoned_at_the_newest_mark(side: str, profit: int) -> None:
    desk = new_desk()
    say = position(side=side, unrealised="7")
    assert desk.unrealised(say) == 7
    desk.hear(mark("50200"))
    # 0.5 x (50200 - 50000), against a short.
    assert desk.unrealised(say) == profit
    assert desk.mark_of(say) == "50200"


def test_interest_arrives_as_a_line_on_the_balance_and_in_the_sum() -> None:
    desk = new_desk()
    desk.hear(event("balances", balance("margin", "USDT", "1000", borrowed="1000", net="0")))
    charge = {"asset": "USDT", "principal": "1000", "rate": "0.00001"}
    desk.hear(notice("interest", amount="0.010000", interest="0.01", **charge))
    desk.hear(notice("interest", amount="0.010000", interest="0.02", **charge))
    assert log(desk)[0] == "interest 0.01 USDT on 1000 USDT at 0.001% an hour"
    owing = desk.balances["margin", "USDT"]
    assert (owing.interest, Decimal(owing.net)) == ("0.02", Decimal("-0.02"))
    assert desk.interest == {"USDT": Decimal("0.02")}
    assert desk.rates == {"USDT": "0.00001"}


def test_funding_is_told_as_paid_or_received_and_summed() -> None:
    desk = new_desk()
    more = {"wallet": "perp", "symbol": PERP, "asset": "USDT", "qty": "0.5", "rate": "0.0001"}
    desk.hear(notice("funding", amount="-2.5", **more))
    desk.hear(notice("funding", amount="1", **more))
    assert log(desk) == [
        "funding paid 2.5 USDT on 0.5 BTC-USDT-PERP at 0.01%",
        "funding received 1 USDT on 0.5 BTC-USDT-PERP at 0.01%",
    ]
    assert [line.tone for line in desk.lines] == ["bad", "good"]
    assert desk.funding == {PERP: Decimal("-1.5")}


def test_loans_are_told_as_borrowed_or_repaid() -> None:
    desk = new_desk()
    desk.hear(notice("loan", loan=LoanSay("margin", "BTC", "1", "0", "0.00002", 1, "1")))
    repaid = LoanSay("margin", "BTC", "0", "0", "0.00002", 1, "0", "1", "0.0001")
    desk.hear(notice("loan", loan=repaid))
    assert log(desk) == [
        "borrowed 1 BTC into margin",
        "repaid 1 BTC and 0.0001 of interest in margin",
    ]


def test_margin_calls_and_liquidations_are_told_loudly() -> None:
    desk = new_desk()
    desk.hear(notice("margin_call", level="1.25", debt="1000", state="called", add="80"))
    desk.hear(notice("liquidation_ended", "perp", result="closed"))
    desk.hear(notice("margin_call_cleared", add="0"))
    assert log(desk) == [
        "margin call margin add 80",
        "liquidation ended perp closed",
        "margin call cleared margin add 0",
    ]
    assert [line.tone for line in desk.lines] == ["bad", "bad", "good"]
    assert desk.margins["margin"].state == "normal"


def test_a_gauge_moves_the_level_and_says_nothing() -> None:
    desk = new_desk()
    desk.hear(notice("", level="1.5", debt="1000"))
    assert log(desk) == []
    assert desk.margins["margin"].level == "1.5"


def test_a_changed_margin_mode_is_remembered() -> None:
    desk = new_desk()
    desk.hear(notice("setting", "perp", symbol=PERP, setting="margin_mode", value="isolated"))
    assert desk.modes == {PERP: "isolated"}


def test_scopes_with_something_at_stake_come_nearest_first() -> None:
    desk = new_desk()
    desk.hear(notice("", level="2.2", debt="1000"))
    desk.hear(notice("", "perp", level="1.25", debt="10"))
    desk.hear(notice("", "isolated:BTC-USDT"))
    # 1.1 / 1.25 = 0.88 of the way, 1.1 / 2.2 = 0.5.
    assert [(g.wallet, g.used) for g in desk.gauges()] == [
        ("perp", Decimal("0.88")),
        ("margin", Decimal("0.5")),
    ]


def test_a_gauge_tells_how_far_the_level_may_fall() -> None:
    gauge = Gauge("margin", Decimal("2"), Decimal("1.5"), Decimal("1"), "normal")
    assert gauge.fall_to(gauge.call) == 25  # 1 - 1.5 / 2
    assert gauge.fall_to(gauge.liquidation) == 50
    assert gauge.fall_to(None) is None
    worse = Gauge("margin", Decimal("0.5"), None, Decimal("1"), "liquidating")
    assert worse.used == 1
    assert worse.fall_to(worse.liquidation) == 0


def test_a_rate_is_said_as_a_percentage() -> None:
    assert (percent("0.00010000"), percent("-0.0075")) == ("0.01%", "-0.75%")
    assert percent("0.000123041781") == "0.012304%"


def test_both_legs_of_hedge_mode_stand_beside_each_other() -> None:
    desk = new_desk()
    desk.hear(account(settings={"position_mode": "hedge", "symbols": {}}))
    assert desk.hedge
    desk.hear(event("positions", position("0.5", position_side="long")))
    desk.hear(event("positions", position("0.2", "short", position_side="short")))
    assert sorted(desk.positions) == [f"{PERP} long", f"{PERP} short"]
    desk.hear(event("positions", position("0", "flat", position_side="long")))
    assert list(desk.positions) == [f"{PERP} short"]
    desk.hear(notice("setting", "perp", setting="position_mode", value="one_way"))
    assert not desk.hedge


def test_p1_an_inverse_position_wins_and_loses_coins() -> None:
    desk = Desk(WITH_INVERSE.instruments, SPOT, "1m")
    held = position("10", symbol="BTC-USD-PERP", settle="BTC")
    assert desk.unrealised(held) == 0
    desk.hear(mark("62500", "BTC-USD-PERP"))
    # 10 contracts of 100 USD: 1000 x (1/50000 - 1/62500) = 0.02 - 0.016.
    assert desk.unrealised(held).normalize() == Decimal("0.004")
    short = position("10", "short", symbol="BTC-USD-PERP", settle="BTC")
    assert desk.unrealised(short).normalize() == Decimal("-0.004")


def test_p14_a_deleveraging_is_told_in_its_own_words() -> None:
    desk = new_desk()
    desk.hear(notice("deleveraged", "perp", symbol=PERP, says="you were deleveraged: 1 sold"))
    assert desk.lines[-1].text == "you were deleveraged: 1 sold"
    assert desk.lines[-1].tone == "bad"
