"""The order ticket: what to trade, how much, at what price, with whose money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Checkbox, Input, Label, Select, Static

from clients.terminal.drawing import BAD, GOOD, WARNING, amount
from exchange.wire import InstrumentSay, PreviewSay

Side = Literal["buy", "sell"]


class Wish(msgspec.Struct, frozen=True):
    """A filled-in ticket, as `Papertape.place` and `.preview` take it.

    `mode` is the margin mode wanted of a perpetual: a setting of the account, not of the order.
    """

    symbol: str
    side: Side
    qty: Decimal | None  # None of one that closes the position.
    price: Decimal | None
    options: dict[str, Any]
    mode: Literal["cross", "isolated"] | None = None


class Ticket(VerticalScroll):
    """The form.  It posts Changed while it is filled in, and Sent when the order is wanted."""

    BORDER_TITLE = "Order"
    DEFAULT_CSS = """
    Ticket { width: 36; border: round $primary; padding: 0 1; }
    Ticket Horizontal { height: 1; }
    Ticket Label { width: 11; color: $text-muted; }
    Ticket Input, Ticket Select { width: 1fr; }
    Ticket Button { width: 1fr; }
    Ticket .sides { margin-bottom: 1; }
    Ticket #send { margin: 1 0; width: 100%; }
    Ticket #preview { height: auto; min-height: 5; }
    """

    class Changed(Message):
        """Something was filled in: a preview would be welcome."""

    class Sent(Message):
        """The order is wanted."""

        def __init__(self, wish: Wish) -> None:
            self.wish = wish
            super().__init__()

    TYPES: ClassVar = [
        ("market", "market"),
        ("limit", "limit"),
        ("stop", "stop"),
        ("take profit", "take_profit"),
    ]
    LEGS: ClassVar = [("long", "long"), ("short", "short")]
    EFFECTS: ClassVar = [(name, name) for name in ("none", "borrow", "repay", "borrow_repay")]

    def __init__(self, instrument: InstrumentSay) -> None:
        super().__init__(id="ticket")
        self.instrument = instrument
        self.side: Side = "buy"
        self._hedge = False

    def compose(self) -> ComposeResult:
        """The fields, top to bottom."""
        with Horizontal(classes="sides"):
            yield Button("Buy", id="buy", compact=True, variant="success")
            yield Button("Sell", id="sell", compact=True)
        yield from _row("Type", Select(self.TYPES, value="market", id="type", **_SELECT))
        yield from _row("Quantity", Input(id="qty", **_NUMBER))
        yield from _row("Price", Input(id="price", disabled=True, **_NUMBER))
        yield from _row("Trigger", Input(id="trigger", disabled=True, **_NUMBER))
        yield from _row("Leg", Select(self.LEGS, value="long", id="leg", disabled=True, **_SELECT))
        yield from _row("Margin", Select(self._margins(), id="margin", **_SELECT))
        yield from _row("Leverage", Input(id="leverage", type="integer", compact=True))
        yield from _row("Loan", Select(self.EFFECTS, value="none", id="effect", **_SELECT))
        with Horizontal():
            yield Checkbox("reduce only", id="reduce", compact=True)
            yield Checkbox("post only", id="post", compact=True)
        yield Button("Buy", id="send", variant="success", compact=True)
        yield Static(id="preview")

    def on_mount(self) -> None:
        """Begin with the symbol the desk looks at."""
        self.look_at(self.instrument)

    def look_at(
        self, instrument: InstrumentSay, mode: str | None = None, *, hedge: bool = False
    ) -> None:
        """Offer what this symbol allows; `mode` is the perpetual's margin mode as it is set, and
        `hedge` whether its legs are held apart."""
        self.instrument = instrument
        perpetual = instrument.kind != "spot"
        self._hedge = perpetual and hedge
        self.query_one("#leg", Select).disabled = not self._hedge
        unit = instrument.base
        if instrument.kind == "inverse":
            unit = f"contracts of {instrument.multiplier} {instrument.multiplier_asset}"
        self.query_one("#qty", Input).placeholder = unit
        margin = self.query_one("#margin", Select)
        margin.set_options(self._margins())
        margin.value = mode or instrument.margin[0]
        self.query_one("#effect", Select).disabled = perpetual
        self.query_one("#reduce", Checkbox).disabled = not perpetual
        leverage = self.query_one("#leverage", Input)
        leverage.disabled = not perpetual
        leverage.placeholder = f"as set, up to {instrument.max_leverage}" if perpetual else ""
        self.choose(self.side)

    def choose(self, side: Side) -> None:
        """Buy or sell."""
        self.side = side
        variant: Literal["success", "error"] = "success" if side == "buy" else "error"
        self.query_one("#buy", Button).variant = "success" if side == "buy" else "default"
        self.query_one("#sell", Button).variant = "error" if side == "sell" else "default"
        send = self.query_one("#send", Button)
        send.label = f"{side.capitalize()} {self.instrument.symbol}"
        send.variant = variant
        self.post_message(self.Changed())

    def wish(self) -> Wish | None:
        """The order as filled in; None while a number is missing."""
        kind = self.query_one("#type", Select).value
        qty = _number(self.query_one("#qty", Input).value)
        limit = kind == "limit"
        price = _number(self.query_one("#price", Input).value) if limit else None
        options = self._options(limit)
        if kind in _STOPS:
            trigger = _number(self.query_one("#trigger", Input).value)
            if trigger is None:
                return None
            options |= {"type": kind, "trigger_price": trigger}
            if qty is None and self.instrument.kind != "spot":
                options |= {"close_position": True}
                options.pop("reduce_only", None)
        if (qty is None and "close_position" not in options) or (limit and price is None):
            return None
        margin = self.query_one("#margin", Select).value
        mode: Literal["cross", "isolated"] | None = None
        if self.instrument.kind != "spot":
            mode = "isolated" if margin == "isolated" else "cross"
        return Wish(self.instrument.symbol, self.side, qty, price, options, mode)

    def _options(self, limit: bool) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if limit and self.query_one("#post", Checkbox).value:
            options["post_only"] = True
        if self.instrument.kind != "spot":
            leverage = _number(self.query_one("#leverage", Input).value)
            if leverage is not None:
                options["leverage"] = int(leverage)
            if self.query_one("#reduce", Checkbox).value:
                options["reduce_only"] = True
            if self._hedge:
                options["position_side"] = self.query_one("#leg", Select).value
            return options
        options["margin"] = self.query_one("#margin", Select).value
        effect = self.query_one("#effect", Select).value
        if effect != "none":
            options["side_effect"] = effect
        return options

    def show_preview(self, say: PreviewSay | None, refusal: str = "") -> None:
        """Tell what the order would cost and risk, or why it would be refused."""
        self.query_one("#preview", Static).update(preview_text(say, refusal))

    def _margins(self) -> list[tuple[str, str]]:
        return [(name, name) for name in self.instrument.margin]

    @on(Button.Pressed, "#buy")
    def _buy(self) -> None:
        self.choose("buy")

    @on(Button.Pressed, "#sell")
    def _sell(self) -> None:
        self.choose("sell")

    @on(Button.Pressed, "#send")
    @on(Input.Submitted)
    def _send(self) -> None:
        wish = self.wish()
        if wish is None:
            self.show_preview(
                None, "fill in a quantity, for a limit order a price, for a stop its trigger"
            )
        else:
            self.post_message(self.Sent(wish))

    @on(Select.Changed, "#type")
    def _type_changed(self, event: Select.Changed) -> None:
        self.query_one("#price", Input).disabled = event.value != "limit"
        self.query_one("#post", Checkbox).disabled = event.value != "limit"
        self.query_one("#trigger", Input).disabled = event.value not in _STOPS

    @on(Select.Changed)
    @on(Input.Changed)
    @on(Checkbox.Changed)
    def _changed(self) -> None:
        self.post_message(self.Changed())


_STOPS = ("stop", "take_profit")  # Without a quantity they close the position of a perpetual.
_SELECT: dict[str, Any] = {"allow_blank": False, "compact": True}
_NUMBER: dict[str, Any] = {"type": "number", "compact": True}


def _row(name: str, field: Input | Select[str]) -> ComposeResult:
    with Horizontal():
        yield Label(name)
        yield field


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def preview_text(say: PreviewSay | None, refusal: str = "") -> Text:
    """What an order would cost and risk, one thing a line."""
    if refusal:
        return Text(refusal, BAD)
    if say is None:
        return Text()
    if not say.accepted:
        return Text(f"would be refused: {say.message or say.reason}", BAD)
    text = Text()
    # A perpetual settles in what its fees are paid in.
    unit = None if say.side_after is None else say.fee_asset
    if say.side_after is not None:
        text.append(f"{'then':15}").append(f"{say.side_after} {say.qty_after}\n", GOOD)
    lines = (
        ("fee", say.fee, say.fee_asset, ""),
        ("needs", say.margin_required, unit, ""),
        ("borrows", say.borrow, say.borrow_asset, WARNING),
        ("interest a day", say.interest_per_day, None, WARNING),
        ("next funding", say.next_funding, unit, WARNING),
        ("margin call at", say.margin_call_price, None, BAD),
        ("liquidation at", say.liquidation_price, None, BAD),
    )
    for name, value, asset, colour in lines:
        if value is not None:
            said = f"{amount(value)} {asset or ''}".strip()
            text.append(f"{name:15}").append(f"{said}\n", colour or GOOD)
    return text
