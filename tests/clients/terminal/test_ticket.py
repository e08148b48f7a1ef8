"""Tests of the order ticket, on a screen of its own."""

from decimal import Decimal

from msgspec import structs
from textual.app import App, ComposeResult
from textual.widgets import Button, Checkbox, Input, Select

from clients.terminal.ticket import Ticket, Wish, preview_text
from tests.clients.wire_samples import PREVIEW, instrument

SPOT, PERP = instrument("BTC-USDT"), instrument("BTC-USDT-PERP")


class Paper(App[None]):
    """A screen with nothing but a ticket."""

    def __init__(self, say=SPOT) -> None:
        super().__init__()
        self.say = say
        self.sent: list[Wish] = []

    def compose(self) -> ComposeResult:
        yield Ticket(self.say)

    def on_ticket_sent(self, message: Ticket.Sent) -> None:
        self.sent.append(message.wish)


def put(app: App, field: str, value: str) -> None:
    app.query_one(f"#{field}", Input).value = value


async def test_a_market_order_needs_only_a_quantity() -> None:
    app = Paper()
    async with app.run_test() as pilot:
        assert app.query_one(Ticket).wish() is None
        put(app, "qty", "0.25")
        await pilot.click("#sell")
        await pilot.click("#send")
        await pilot.pause()
    assert app.sent == [Wish("BTC-USDT", "sell", Decimal("0.25"), None, {"margin": "cash"})]


async def test_a_limit_order_needs_a_price_too_and_may_be_post_only() -> None:
    app = Paper()
    async with app.run_test() as pilot:
        app.query_one("#type", Select).value = "limit"
        put(app, "qty", "1")
        await pilot.pause()
        assert app.query_one(Ticket).wish() is None
        put(app, "price", "49000")
        app.query_one("#post", Checkbox).value = True
        await pilot.pause()
        wish = app.query_one(Ticket).wish()
    assert wish == Wish(
        "BTC-USDT", "buy", Decimal(1), Decimal(49000), {"margin": "cash", "post_only": True}
    )


async def test_a_perpetual_has_leverage_reduce_only_and_a_mode_but_no_loan() -> None:
    app = Paper(PERP)
    async with app.run_test() as pilot:
        put(app, "qty", "1")
        put(app, "leverage", "25")
        app.query_one("#reduce", Checkbox).value = True
        app.query_one("#margin", Select).value = "isolated"
        await pilot.pause()
        wish = app.query_one(Ticket).wish()
        assert app.query_one("#effect", Select).disabled
    assert wish is not None
    assert wish.options == {"leverage": 25, "reduce_only": True}
    assert wish.mode == "isolated"


async def test_a_number_that_is_none_is_no_order() -> None:
    app = Paper()
    async with app.run_test():
        for nonsense in ("", "0", "-1", "1e999999", "."):
            put(app, "qty", nonsense)
            wish = app.query_one(Ticket).wish()
            assert wish is None or (wish.qty is not None and wish.qty.is_finite())
        put(app, "qty", "-1")
        assert app.query_one(Ticket).wish() is None


async def test_the_button_says_what_it_does() -> None:
    app = Paper()
    async with app.run_test() as pilot:
        await pilot.click("#sell")
        send = app.query_one("#send", Button)
        assert str(send.label) == "Sell BTC-USDT"
        assert send.variant == "error"


async def test_looking_at_another_symbol_offers_what_it_allows() -> None:
    app = Paper()
    async with app.run_test() as pilot:
        app.query_one(Ticket).look_at(PERP, "isolated")
        await pilot.pause()
        assert app.query_one("#margin", Select).value == "isolated"
        assert not app.query_one("#leverage", Input).disabled
        app.query_one(Ticket).look_at(SPOT)
        await pilot.pause()
        assert app.query_one("#margin", Select).value == "cash"
        assert app.query_one("#leverage", Input).disabled


async def test_in_hedge_mode_the_order_names_its_leg() -> None:
    app = Paper(PERP)
    async with app.run_test() as pilot:
        ticket = app.query_one(Ticket)
        assert app.query_one("#leg", Select).disabled
        ticket.look_at(PERP, hedge=True)
        put(app, "qty", "1")
        app.query_one("#leg", Select).value = "short"
        await pilot.pause()
        wish = ticket.wish()
        assert wish is not None
        assert wish.options == {"position_side": "short"}
        ticket.look_at(SPOT, hedge=True)
        assert app.query_one("#leg", Select).disabled


async def test_p16_a_stop_without_a_quantity_closes_the_position() -> None:
    app = Paper(PERP)
    async with app.run_test() as pilot:
        app.query_one("#type", Select).value = "stop"
        await pilot.pause()
        ticket = app.query_one(Ticket)
        assert ticket.wish() is None
        put(app, "trigger", "49000")
        app.query_one("#reduce", Checkbox).value = True
        await pilot.pause()
        closing = {"type": "stop", "trigger_price": Decimal(49000), "close_position": True}
        wish = ticket.wish()
        assert wish == Wish("BTC-USDT-PERP", "buy", None, None, closing, "cross")
        put(app, "qty", "2")
        partly = ticket.wish()
        assert partly is not None
        assert partly.options["reduce_only"]
        ticket.look_at(SPOT)
        put(app, "qty", "")
        await pilot.pause()
        assert ticket.wish() is None  # On spot there is no position to close.


async def test_an_inverse_contract_is_counted_in_contracts() -> None:
    app = Paper(instrument("BTC-USD-PERP"))
    async with app.run_test():
        assert app.query_one("#qty", Input).placeholder == "contracts of 100 USD"


def test_a_preview_of_a_perpetual_tells_the_position_it_makes() -> None:
    said = structs.replace(PREVIEW, side_after="short", qty_after="0.2", fee_asset="BTC")
    lines = [line.split() for line in preview_text(said).plain.splitlines()]
    assert lines[:3] == [["then", "short", "0.2"], ["fee", "1", "BTC"], ["needs", "500", "BTC"]]


def test_a_preview_tells_fee_need_and_liquidation() -> None:
    lines = [line.split() for line in preview_text(PREVIEW).plain.splitlines()]
    assert lines == [
        ["fee", "1", "USDT"],
        ["needs", "500"],
        ["next", "funding", "0.5"],
        ["liquidation", "at", "60000"],
    ]


def test_a_preview_of_a_refused_order_says_why() -> None:
    refused = structs.replace(PREVIEW, accepted=False, reason="X", message="too much")
    assert preview_text(refused).plain == "would be refused: too much"
    assert preview_text(None, "no").plain == "no"
    assert preview_text(None).plain == ""
