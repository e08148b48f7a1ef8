"""Tests of the screen with Textual's pilot, against a small exchange."""

from decimal import Decimal

import msgspec
import pytest
from textual.widgets import DataTable, Input, RichLog, Select, Static

from clients.terminal.money import MoneyDialog
from tests.clients.fake_exchange import FakeExchange, Refused
from tests.clients.terminal.screens import choose, desk_on_screen, rows, until
from tests.clients.wire_samples import margin

PERP = "BTC-USDT-PERP"


def logged(app) -> str:
    log = app.query_one("#log", RichLog)
    return "\n".join("".join(segment.text for segment in strip) for strip in log.lines)


def words(text: str) -> str:
    """The text as words, without the line breaks of a narrow pane."""
    return " ".join(text.split())


async def test_the_desk_shows_market_and_account(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await until(pilot, lambda: rows(app, "balances"))
        assert [row[0] for row in rows(app, "symbols")] == ["BTC-USDT", PERP]
        assert [row[:3] for row in rows(app, "balances")] == [
            ["perp", "USDT", "100000"],
            ["spot", "USDT", "100000"],
        ]
        ladder = str(app.query_one("#ladder", Static).render())
        assert "50001" in ladder
        assert "spread 2" in ladder


async def test_a_market_order_from_the_ticket_is_bought(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("b", *"0.2", "enter")
        await until(pilot, lambda: "bought" in logged(app))
        assert "bought 0.2 BTC-USDT at 50001" in words(logged(app))
        (order,) = exchange.orders.values()
        assert (order.side, order.type, order.qty, order.wallet) == ("buy", "market", "0.2", "spot")


async def test_a_short_on_the_perpetual_appears_and_is_closed_with_a_key(
    exchange: FakeExchange,
) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: app.desk.symbol == PERP and app.desk.book.ready)
        await pilot.press("s", *"0.5")
        app.query_one("#leverage", Input).value = "20"
        await pilot.press("enter")
        await until(pilot, lambda: rows(app, "positions"))
        assert rows(app, "positions")[0][:2] == [f"{PERP} short", "0.5"]
        placed = next(frame for frame in exchange.asked if frame["op"] == "order.place")
        assert (placed["leverage"], placed["side"]) == (20, "sell")
        assert "margin" not in placed
        await pilot.press("escape", "c")
        await until(pilot, lambda: not rows(app, "positions"))
        assert exchange.positions[PERP] == 0


async def test_a_limit_order_rests_is_marked_in_the_book_and_cancelled_with_a_key(
    exchange: FakeExchange,
) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        choose(app, "type", "limit")
        await pilot.press("b", *"0.1")
        app.query_one("#price", Input).value = "49998"
        await pilot.press("enter")
        await until(pilot, lambda: rows(app, "orders"))
        assert rows(app, "orders")[0][2:6] == ["BTC-USDT", "buy", "49998", "0.1"]
        assert "◂" in str(app.query_one("#ladder", Static).render())
        await pilot.press("escape", "x")
        await until(pilot, lambda: not rows(app, "orders"))
        assert exchange.orders[1].status == "cancelled"


async def test_every_order_is_cancelled_with_one_key(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        for price in ("100", "101"):
            await exchange.act("order.place", {**ORDER, "price": price})
        await until(pilot, lambda: len(rows(app, "orders")) == 2)
        await pilot.press("X")
        await until(pilot, lambda: not rows(app, "orders"))


ORDER = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "1"}


async def test_orders_that_were_open_before_are_shown(exchange: FakeExchange) -> None:
    await exchange.act("order.place", {**ORDER, "price": "100"})
    async with desk_on_screen(exchange) as (app, pilot):
        await until(pilot, lambda: rows(app, "orders"))


async def test_a_refused_order_is_told(exchange: FakeExchange) -> None:
    exchange.refuse["order.place"] = Refused("INSUFFICIENT_BALANCE")
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("b", *"9", "enter")
        await until(pilot, lambda: "INSUFFICIENT_BALANCE" in logged(app))


async def test_an_order_without_a_quantity_is_not_sent(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("b", "enter")
        preview = app.query_one("#preview", Static)
        await until(pilot, lambda: "fill in a quantity" in str(preview.render()))
        assert "order.place" not in exchange.ops()


async def test_the_ticket_previews_what_the_order_would_risk(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("b", *"0.2")
        preview = app.query_one("#preview", Static)
        await until(pilot, lambda: "liquidation at 60000" in words(str(preview.render())))


async def borrow(pilot, app, amount: str) -> None:
    await pilot.press("m")
    await until(pilot, lambda: isinstance(app.screen, MoneyDialog))
    choose(app, "action", "borrow")
    app.screen.query_one("#amount", Input).value = amount
    await pilot.click("#do")


async def test_a_loan_is_taken_and_its_interest_and_funding_arrive(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await borrow(pilot, app, "1000")
        await until(pilot, lambda: any(row[4] == "1000" for row in rows(app, "balances")))
        assert exchange.loans["margin", "USDT"].principal == "1000"
        await exchange.tell("margin", INTEREST)
        await exchange.tell("margin", FUNDING)
        await until(pilot, lambda: "funding" in logged(app))
        told = words(logged(app))
        assert "22:13:20 interest 0.01 USDT on 1000 USDT at 0.001% an hour" in told
        assert "22:13:20 funding paid 2.5 USDT on 0.5 BTC-USDT-PERP at 0.01%" in told
        (row,) = [row for row in rows(app, "balances") if row[0] == "margin"]
        assert row == ["margin", "USDT", "1000", "1000", "1000", "0.02000000", "0.001%"]
        gauges = str(app.query_one("#gauges", Static).render())
        assert "margin level 1.5000" in gauges
        assert app.query_one("#log", RichLog).border_subtitle == (
            "interest -0.01 USDT  funding -2.5 BTC-USDT-PERP"
        )


INTEREST = {
    **msgspec.to_builtins(margin("margin", debt="1000", assets="1500", level="1.5")),
    "notice": "interest",
    "asset": "USDT",
    "amount": "0.01",
    "principal": "1000",
    "rate": "0.00001",
    "interest": "0.02",
}
FUNDING = {
    **msgspec.to_builtins(margin("perp", debt="100", level="15")),
    "notice": "funding",
    "symbol": PERP,
    "asset": "USDT",
    "amount": "-2.5",
    "qty": "0.5",
    "rate": "0.0001",
}


async def test_the_margin_mode_of_a_perpetual_is_set_before_the_order(
    exchange: FakeExchange,
) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: app.desk.symbol == PERP)
        choose(app, "margin", "isolated")
        await pilot.press("b", *"0.5", "enter")
        await until(pilot, lambda: "order.place" in exchange.ops())
        asked = [op for op in exchange.ops() if op in ("margin_mode.set", "order.place")]
        assert asked == ["margin_mode.set", "order.place"]


async def test_a_spot_order_says_whose_money_and_whether_to_borrow(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        choose(app, "margin", "cross")
        choose(app, "effect", "borrow")
        await pilot.press("s", *"0.1", "enter")
        await until(pilot, lambda: "order.place" in exchange.ops())
        placed = next(frame for frame in exchange.asked if frame["op"] == "order.place")
        assert (placed["margin"], placed["side_effect"]) == ("cross", "borrow")


async def test_another_interval_is_drawn_with_a_key(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("i")
        await until(
            pilot, lambda: any("candles.5m.BTC-USDT" in line.channels for line in exchange.lines)
        )
        assert app.desk.interval == "5m"


async def test_a_symbol_is_chosen_from_the_list(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.desk.symbol == PERP and app.desk.book.ready)
        assert app.query_one("#effect", Select).disabled


async def test_the_cursor_of_the_list_goes_with_the_symbol(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        symbols = app.query_one("#symbols", DataTable)
        await until(pilot, lambda: symbols.rows)
        assert symbols.cursor_row == 0
        await pilot.press("p")
        assert app.desk.symbol == PERP
        assert symbols.cursor_row == 1


async def test_the_desk_goes_on_after_a_break(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await exchange.break_all()
        await exchange.act("faucet", {"wallet": "spot", "asset": "BTC", "amount": "3"})
        await until(pilot, lambda: ("spot", "BTC") in app.desk.balances)
        assert app.desk.balances["spot", "BTC"].total == "3"


async def test_the_cursor_stays_on_its_order_when_rows_come_and_go(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await exchange.act("order.place", {**ORDER, "price": "100"})
        await until(pilot, lambda: len(rows(app, "orders")) == 1)
        await exchange.act("order.place", {**ORDER, "price": "101"})
        await until(pilot, lambda: len(rows(app, "orders")) == 2)
        assert app.query_one("#orders", DataTable).cursor_row == 1
        await pilot.press("x")
        await until(pilot, lambda: len(rows(app, "orders")) == 1)
        assert exchange.orders[1].status == "cancelled"
        assert exchange.orders[2].status == "new"


async def test_the_market_moves_on_screen(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await exchange.move("BTC-USDT", "50500")
        ladder = app.query_one("#ladder", Static)
        await until(pilot, lambda: "50501" in str(ladder.render()))
        assert app.desk.book.best_bid == (Decimal(50499), Decimal("1.5"))


@pytest.mark.parametrize("keys", [["q"], ["escape", "q"]])
async def test_it_is_left_with_a_key(exchange: FakeExchange, keys: list[str]) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: not app.is_running)
