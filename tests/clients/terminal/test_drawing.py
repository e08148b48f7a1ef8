"""Tests of how the desk looks."""

from decimal import Decimal

import pytest
from msgspec import structs

from clients.terminal import drawing
from clients.terminal.desk import Desk, Line
from tests.clients.terminal.events import (
    PERP,
    account,
    balance,
    book,
    event,
    mark,
    new_desk,
    notice,
    position,
    ticker,
    trade,
)
from tests.clients.wire_samples import NOON, WITH_INVERSE, open_order


def cells(row: tuple) -> list[str]:
    return [cell.plain for cell in row]


def test_the_headline_says_paper_and_the_prices() -> None:
    desk = new_desk()
    assert drawing.headline(desk).plain == " PAPER   BTC-USDT  -"
    desk.hear(ticker())
    line = drawing.headline(desk).plain
    assert "BTC-USDT  50000  +2.5%  24h vol 1.2k BTC" in line


def test_the_headline_of_a_perpetual_counts_down_to_funding() -> None:
    desk = new_desk()
    desk.choose(PERP, "1m")
    desk.hear(mark("50010"))
    line = drawing.headline(desk).plain
    # 3,661 seconds are an hour, a minute and a second.
    assert "index 50010.0  mark 50010.0  open interest 12.50  funding 0.01% in 1:01:01" in line


def test_the_ladder_has_asks_above_bids_and_marks_ones_own_prices() -> None:
    desk = new_desk()
    desk.hear(book())
    desk.hear(event("orders", open_order(1, "BTC-USDT", "buy", "49998.0", "1")))
    lines = drawing.ladder(desk, 5, 30).plain.splitlines()
    assert [line.split() for line in lines] == [
        ["50002", "3"],
        ["50001", "2"],
        ["spread", "2"],
        ["49999", "1"],
        ["◂", "49998", "4"],
    ]
    assert all(len(line) < 30 for line in lines)


def test_the_bar_of_a_level_is_as_long_as_its_size() -> None:
    desk = new_desk()
    desk.hear(book())
    text = drawing.ladder(desk, 5, 29)
    bars = [span.end - span.start for span in text.spans if " on " in str(span.style)]
    # The largest of 3, 2, 1, 4 fills 28 columns: 21, 14, 7, 28.
    assert bars == [21, 14, 7, 28]


def test_an_empty_book_is_drawn_without_levels() -> None:
    assert drawing.ladder(new_desk(), 5, 30).plain.split() == ["spread", "-"]


def test_the_tape_has_the_newest_trade_first() -> None:
    desk = new_desk()
    desk.hear(trade(1, "50001"))
    desk.hear(trade(2, "50002"))
    (line,) = drawing.tape(desk, 1).plain.splitlines()
    assert line.split() == ["22:13:20", "50002", "0.5"]  # NOON is 22:13:20 UTC.


def test_the_gauge_shows_how_far_call_and_liquidation_are() -> None:
    desk = new_desk()
    assert "nothing at stake" in drawing.margin_gauges(desk, 40).plain
    desk.hear(notice("", level="2.2", debt="1000"))
    lines = drawing.margin_gauges(desk, 42).plain.splitlines()
    assert lines[0] == "margin level 2.2000"
    assert lines[1] == "█" * 20 + "░" * 20  # 1.1 / 2.2: half of 40.
    # 1 - 1.3 / 2.2 and 1 - 1.1 / 2.2.
    assert lines[2] == "to call 40.9%  to liquidation 50.0%"


def test_a_scope_in_trouble_says_so() -> None:
    desk = new_desk()
    desk.hear(notice("", level="1.15", debt="1000", state="called"))
    text = drawing.margin_gauges(desk, 42)
    assert "CALLED" in text.plain
    assert any(drawing.BAD in str(span.style) for span in text.spans)


def test_a_symbol_is_shown_with_its_day() -> None:
    desk = new_desk()
    assert cells(drawing.symbol_row(desk, PERP)) == [PERP, "-", "-"]
    desk.hear(ticker(change="-2.57"))
    assert cells(drawing.symbol_row(desk, "BTC-USDT")) == ["BTC-USDT", "50000", "-2.6%"]


def test_positions_orders_and_balances_are_rows_with_keys() -> None:
    desk = new_desk()
    desk.hear(account(balances=[balance("spot", "USDT", "5"), balance("spot", "BTC", "0")]))
    desk.hear(event("positions", position()))
    desk.hear(mark("50200"))
    desk.hear(event("orders", open_order(7, "BTC-USDT", "sell", "51000", "0.2")))
    owing = balance("margin", "BTC", "1", borrowed="1", interest="0.0000123")
    desk.hear(event("balances", owing))
    desk.rates["BTC"] = "0.00002"
    ((key, row),) = drawing.position_rows(desk)
    assert key == PERP
    assert cells(row)[:6] == [
        *("BTC-USDT-PERP long", "0.5", "50000.0", "50200.0"),
        *("+100.00", "45000.0"),
    ]
    ((key, row),) = drawing.order_rows(desk)
    assert (key, cells(row)) == (
        "7",
        ["7", "", "BTC-USDT", "sell", "51000", "0.2", "0", "spot"],
    )
    loan, cash = (cells(row) for _, row in drawing.balance_rows(desk))
    assert loan == ["margin", "BTC", "1", "1", "1", "0.00001230", "0.002%"]
    assert cash == ["spot", "USDT", "5", "5", "-", "-", "-"]


@pytest.mark.parametrize(
    ("side", "kind", "price", "trigger", "said"),
    [
        ("sell", "stop", None, "last", "market at ≤ 49000"),
        ("sell", "take_profit", None, "mark", "market at mark ≥ 49000"),
        ("buy", "stop_limit", "49100", "last", "49100 at ≥ 49000"),
        ("buy", "take_profit_limit", "48900", "last", "48900 at ≤ 49000"),
    ],
)
def test_s4_an_order_that_waits_shows_what_it_waits_for(
    side: str, kind: str, price: str | None, trigger: str, said: str
) -> None:
    order = open_order(7, "BTC-USDT", side, price, "0.2")
    order.type, order.status = kind, "pending_trigger"
    order.trigger, order.trigger_price = trigger, "49000"
    assert drawing.price_text(order) == said
    order.status = "new"
    assert drawing.price_text(order) == (price or "market")


def test_s4_an_order_that_trails_shows_how_far_the_price_must_turn_and_from_where() -> None:
    order = open_order(7, "BTC-USDT", "sell", None, "0.2")
    order.type, order.status, order.trigger = "trailing_stop", "pending_trigger", "last"
    order.trailing_bps = 150
    assert drawing.price_text(order) == "market after ↓1.5 %"
    order.activation_price, order.trigger = "52000", "mark"
    assert drawing.price_text(order) == "market after ↓1.5 % mark from 52000"
    bought = open_order(8, "BTC-USDT", "buy", "49000", "0.2")
    bought.type, bought.status = "stop_limit", "pending_trigger"
    bought.trailing_bps, bought.trigger_price = 2_000, "48000"
    assert drawing.price_text(bought) == "49000 after ↑20 % from 48000"


def test_a_line_of_the_log_has_its_time_and_tone() -> None:
    text = drawing.log_line(Line(NOON, "funding paid", "bad"))
    assert text.plain == "22:13:20 funding paid"
    assert any(drawing.BAD in str(span.style) for span in text.spans)


@pytest.mark.parametrize(
    ("number", "said"),
    [("12", "12.00"), ("1234", "1.2k"), ("-5600000", "-5.6M"), ("7800000000", "7.8B")],
)
def test_large_numbers_are_short(number: str, said: str) -> None:
    assert drawing.short(number) == said


def test_reckoned_prices_are_shown_on_a_tick() -> None:
    assert drawing.on_tick("50005.62476191", "0.1") == "50005.6"
    assert drawing.on_tick(None, "0.1") == "-"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1.00000099", "1.000000"),
        ("0.25", "0.25"),
        ("80000", "80000"),
        ("-0.12345678", "-0.123456"),
    ],
)
def test_amounts_are_cut_to_six_places(number: str, said: str) -> None:
    assert drawing.amount(number) == said


def test_a_countdown_never_goes_below_nothing() -> None:
    assert drawing.countdown(-5) == "0:00:00"
    assert drawing.countdown(59_999) == "0:00:59"


def test_sums_are_said_by_name() -> None:
    sums = {"USDT": Decimal("2.50"), "BTC": Decimal("0.1")}
    assert list(drawing.sums(sums)) == ["0.1 BTC", "2.5 USDT"]


def test_legs_and_coins_are_told_in_the_table_of_positions() -> None:
    desk = Desk(WITH_INVERSE.instruments, "BTC-USDT", "1m")
    desk.hear(event("positions", position("0.5", position_side="long")))
    coins = position("10", "short", symbol="BTC-USD-PERP", settle="BTC", position_side="short")
    desk.hear(event("positions", coins))
    desk.hear(mark("62500", "BTC-USD-PERP"))
    drawn = {key: cells(row) for key, row in drawing.position_rows(desk)}
    assert drawn["BTC-USDT-PERP long"][0] == "BTC-USDT-PERP long leg"
    assert drawn["BTC-USDT-PERP long"][4] == "+0.00"
    assert drawn["BTC-USD-PERP short"][4] == "-0.00400000 BTC"


def test_an_order_of_a_leg_says_so() -> None:
    desk = new_desk()
    order = open_order(1, "BTC-USDT-PERP", "sell", "51000", "1")
    desk.open_orders([structs.replace(order, position_side="long")])
    ((_, row),) = drawing.order_rows(desk)
    assert cells(row)[3] == "sell long"


def test_s5_the_orders_of_a_list_stand_together() -> None:
    desk = new_desk()
    lists = {1: 4, 2: None, 3: 4, 4: None, 5: 9}
    desk.open_orders(
        structs.replace(open_order(number, "BTC-USDT", "sell", "51000", "1"), list_id=list_id)
        for number, list_id in lists.items()
    )
    rows = [cells(row)[:2] for _, row in drawing.order_rows(desk)]
    assert rows == [["5", "9"], ["4", ""], ["3", "4"], ["1", "4"], ["2", ""]]
