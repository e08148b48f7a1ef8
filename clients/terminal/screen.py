"""The trading desk's screen: what the desk knows, drawn, and keys that trade."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, ClassVar, Final, TypeVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult, ScreenStackError
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.coordinate import Coordinate
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import DataTable, Footer, Input, RichLog, Static

from clients.api import Papertape
from clients.errors import PapertapeError
from clients.terminal import drawing
from clients.terminal.chart import Chart
from clients.terminal.desk import Desk
from clients.terminal.money import MoneyDialog
from clients.terminal.ticket import Side, Ticket, Wish
from exchange.wire import InstrumentsSay, PositionSay, PreviewSay

Framed = TypeVar("Framed", bound=Widget)

INTERVALS: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
DRAW_S: Final = 0.1  # The screen follows the market ten times a second, not with every event.
PREVIEW_S: Final = 0.2  # After the last key.


class Terminal(App[None]):
    """The desk.  It is given an open client and trades that client's account."""

    TITLE = "Papertape"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "terminal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "side('buy')", "Buy"),
        Binding("s", "side('sell')", "Sell"),
        Binding("x", "cancel", "Cancel order"),
        Binding("X", "cancel_all", "Cancel all"),
        Binding("c", "close_position", "Close position"),
        Binding("m", "money", "Borrow, repay, transfer"),
        Binding("i", "interval", "Interval"),
        Binding("n", "step(1)", "Next symbol"),
        Binding("p", "step(-1)", "Previous"),
        Binding("escape", "leave_field", "Leave field", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, pt: Papertape, venue: InstrumentsSay, symbol: str | None = None) -> None:
        super().__init__()
        self._pt = pt
        first = symbol or venue.instruments[0].symbol
        self.desk = Desk(venue.instruments, first, INTERVALS[0])
        self._dirty = True
        self._written = 0
        self._connections = 0

    def compose(self) -> ComposeResult:
        """Market above, account below."""
        yield Static(id="headline")
        with Horizontal(id="upper"):
            yield _table("symbols", drawing.SYMBOL_COLUMNS, "Symbols")
            with Vertical(id="depth"):
                yield _framed(Static(id="ladder"), "Book")
                yield _framed(Static(id="tape"), "Trades")
            yield _framed(Chart(id="chart"), "Chart")
            yield Ticket(self.desk.instrument)
        with Horizontal(id="holdings"):
            yield _table("positions", drawing.POSITION_COLUMNS, "Positions")
            yield _table("balances", drawing.BALANCE_COLUMNS, "Balances and loans")
        with Horizontal(id="happenings"):
            yield _table("orders", drawing.ORDER_COLUMNS, "Open orders")
            yield _framed(Static(id="gauges"), "Margin")
            yield _framed(RichLog(id="log", wrap=True, max_lines=500, min_width=20), "Events")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to listen, to the account and to the market."""
        self.set_interval(DRAW_S, self._draw)
        self.query_one("#symbols", DataTable).focus()
        self._follow_account()
        self._follow_market()

    # -- listening -----------------------------------------------------------------------------

    @work(group="account", exclusive=True)
    async def _follow_account(self) -> None:
        events = self._pt.subscribe(*self.desk.standing_channels())
        try:
            async for event in events:
                hedge = self.desk.hedge
                self.desk.hear(event)
                self._dirty = True
                if self.desk.hedge != hedge:
                    self._look()
                if event.channel == "account":
                    self.desk.open_orders(await self._pt.orders(limit=1000))
                    self._dirty = True
                    if self.desk.perpetual:  # Its margin mode is known only now.
                        self._look()
        except PapertapeError as error:
            self._complain(error)
        finally:
            events.close()

    @work(group="market", exclusive=True)
    async def _follow_market(self) -> None:
        """The chosen symbol: listen first, then fill in what was before."""
        desk = self.desk
        events = self._pt.subscribe(*desk.market_channels())
        try:
            candles, trades = await asyncio.gather(
                self._pt.candles(desk.symbol, desk.interval, 200), self._pt.trades(desk.symbol, 50)
            )
            desk.fill_in(candles, trades)
            self._dirty = True
            async for event in events:
                desk.hear(event)
                self._dirty = True
        except PapertapeError as error:
            self._complain(error)
        finally:
            events.close()

    def _complain(self, error: PapertapeError) -> None:
        """An error of the exchange or the connection, where the user looks."""
        self.notify(f"{error.message} [{error.code}]", severity="error")
        mark = self.desk.marks.get(self.desk.symbol)
        self.desk.say(mark.time if mark else 0, f"{error.message} [{error.code}]", "bad")
        self._dirty = True

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        if self._pt.connections != self._connections:
            if self._connections:
                self.notify("connected again; nothing was missed")
            self._connections = self._pt.connections
        with half_a_screen():
            if self._dirty and self.screen is self.screen_stack[0]:
                self._dirty = False
                self._draw_all()

    def _draw_all(self) -> None:
        desk = self.desk
        self.query_one("#headline", Static).update(drawing.headline(desk))
        ladder, tape = self.query_one("#ladder", Static), self.query_one("#tape", Static)
        ladder.update(drawing.ladder(desk, ladder.size.height, ladder.size.width))
        tape.update(drawing.tape(desk, tape.size.height))
        gauges = self.query_one("#gauges", Static)
        gauges.update(drawing.margin_gauges(desk, gauges.size.width))
        title = f"{desk.symbol} {desk.interval}"
        self.query_one("#chart", Chart).show(title, list(desk.candles.values()))
        symbols = [(name, drawing.symbol_row(desk, name)) for name in desk.instruments]
        table = self.query_one("#symbols", DataTable)
        first = not table.rows
        fill(table, symbols)
        if first:
            self._point()
        fill(self.query_one("#positions", DataTable), drawing.position_rows(desk))
        fill(self.query_one("#orders", DataTable), drawing.order_rows(desk))
        fill(self.query_one("#balances", DataTable), drawing.balance_rows(desk))
        self._draw_log()

    def _draw_log(self) -> None:
        log = self.query_one("#log", RichLog)
        fresh = self.desk.line_count - self._written
        for line in list(self.desk.lines)[-fresh:] if fresh else ():
            log.write(drawing.log_line(line))
        self._written = self.desk.line_count
        totals = [*(f"interest -{text}" for text in drawing.sums(self.desk.interest))]
        totals += [f"funding {text}" for text in drawing.sums(self.desk.funding)]
        log.border_subtitle = "  ".join(totals)

    # -- choosing ------------------------------------------------------------------------------

    def _choose(self, symbol: str, interval: str) -> None:
        if (symbol, interval) != (self.desk.symbol, self.desk.interval):
            self.desk.choose(symbol, interval)
            self._dirty = True
            self._look()
            self._point()
            self._follow_market()

    def _point(self) -> None:
        """The cursor of the list of symbols is on the chosen one."""
        table = self.query_one("#symbols", DataTable)
        if self.desk.symbol in table.rows:
            table.move_cursor(row=table.get_row_index(self.desk.symbol))

    def _look(self) -> None:
        mode = self.desk.modes.get(self.desk.symbol)
        with half_a_screen():
            self.query_one(Ticket).look_at(self.desk.instrument, mode, hedge=self.desk.hedge)

    @on(DataTable.RowSelected, "#symbols")
    def _symbol_selected(self, event: DataTable.RowSelected) -> None:
        self._choose(str(event.row_key.value), self.desk.interval)

    def action_step(self, way: int) -> None:
        """Look at the next symbol, or the one before."""
        names = list(self.desk.instruments)
        place = (names.index(self.desk.symbol) + way) % len(names)
        self._choose(names[place], self.desk.interval)

    def action_interval(self) -> None:
        """Draw candles of the next interval."""
        place = (INTERVALS.index(self.desk.interval) + 1) % len(INTERVALS)
        self._choose(self.desk.symbol, INTERVALS[place])

    def action_side(self, side: Side) -> None:
        """Fill in the ticket, to buy or to sell."""
        ticket = self.query_one(Ticket)
        ticket.choose(side)
        ticket.query_one("#qty", Input).focus()

    def action_leave_field(self) -> None:
        """Back to where single keys are commands."""
        self.query_one("#symbols", DataTable).focus()

    # -- trading -------------------------------------------------------------------------------

    @on(Ticket.Sent)
    def _sent(self, message: Ticket.Sent) -> None:
        self._ask(self._place(message.wish))

    @on(Ticket.Changed)
    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        with half_a_screen():
            ticket = self.query_one(Ticket)
            wish = ticket.wish()
            if wish is None:
                ticket.show_preview(None)
                return
            await self._preview_of(wish, ticket)

    async def _preview_of(self, wish: Wish, ticket: Ticket) -> None:
        await asyncio.sleep(PREVIEW_S)  # Each key begins this anew: only the last one asks.
        try:
            said = await self._pt.preview(
                wish.symbol, wish.side, wish.qty, price=wish.price, **wish.options
            )
        except PapertapeError as error:
            told: tuple[PreviewSay | None, str] = (None, error.message)
        else:
            told = (said, "")
        ticket.show_preview(*told)

    async def _place(self, wish: Wish) -> None:
        if wish.mode is not None and wish.mode != self.desk.modes.get(wish.symbol, "cross"):
            await self._pt.set_margin_mode(wish.symbol, wish.mode)
            self.desk.modes[wish.symbol] = wish.mode
        placed = await self._pt.place(
            wish.symbol, wish.side, wish.qty, price=wish.price, **wish.options
        )
        order = placed.order
        self.notify(f"order {order.order_id}: {order.status.replace('_', ' ')}")

    def action_cancel(self) -> None:
        """Cancel the order that the cursor is on."""
        key = _key_under_cursor(self.query_one("#orders", DataTable))
        if key is not None:
            self._ask(self._pt.cancel(int(key)))

    def action_cancel_all(self) -> None:
        """Cancel every open order of the account."""
        self._ask(self._pt.cancel_all())

    def action_close_position(self) -> None:
        """Close the position that the cursor is on, at the market."""
        key = _key_under_cursor(self.query_one("#positions", DataTable))
        position = self.desk.positions.get(key or "")
        if position is not None:
            side: Side = "sell" if position.side == "long" else "buy"
            self._ask(self._close(position, side))

    async def _close(self, position: PositionSay, side: Side) -> None:
        leg = {"position_side": position.position_side} if self.desk.hedge else {}
        await self._pt.place(position.symbol, side, position.qty, reduce_only=True, **leg)

    def action_money(self) -> None:
        """Borrow, repay, transfer, or take from the faucet."""
        spots = [say for say in self.desk.instruments.values() if say.kind == "spot"]
        isolated = [f"isolated:{say.symbol}" for say in spots if "isolated" in say.margin]
        inverse = [say for say in self.desk.instruments.values() if say.kind == "inverse"]
        coins = [f"perp:{say.settle}" for say in inverse]
        wallets = list(dict.fromkeys(["spot", "margin", "perp", *coins, *isolated]))
        assets = list(dict.fromkeys(a for say in spots for a in (say.quote, say.base)))
        self.push_screen(MoneyDialog(self._pt, wallets, assets), self._money_done)

    def _money_done(self, told: str | None) -> None:
        if told:
            self.notify(told)
        self._dirty = True

    @work(group="asking")
    async def _ask(self, asking: Coroutine[Any, Any, object]) -> None:
        """Ask the exchange for something, and say so if it refuses."""
        try:
            await asking
        except PapertapeError as error:
            self._complain(error)


def half_a_screen() -> AbstractContextManager[None]:
    """While the desk is being left, what still draws may find some of its widgets gone."""
    return suppress(NoMatches, ScreenStackError)


def fill(table: DataTable[Text], rows: Sequence[drawing.Row]) -> None:
    """Show these rows; cells change in place, so that the cursor stays where it is."""
    if [key for key, _ in rows] != [str(key.value) for key in table.rows]:
        under = _key_under_cursor(table)
        table.clear()
        for key, cells in rows:
            table.add_row(*cells, key=key)
        if under is not None and under in table.rows:
            table.move_cursor(row=table.get_row_index(under))
        return
    for place, (_, cells) in enumerate(rows):
        for column, cell in enumerate(cells):
            there = Coordinate(place, column)
            if table.get_cell_at(there) != cell:
                table.update_cell_at(there, cell, update_width=True)


def _key_under_cursor(table: DataTable[Text]) -> str | None:
    if not table.is_valid_row_index(table.cursor_row):
        return None
    keys = list(table.rows)
    place = next(n for n, key in enumerate(keys) if table.get_row_index(key) == table.cursor_row)
    return str(keys[place].value)


def _table(name: str, columns: Sequence[str], title: str) -> DataTable[Text]:
    table: DataTable[Text] = DataTable(id=name, cursor_type="row", zebra_stripes=False)
    table.add_columns(*columns)
    table.border_title = title
    return table


def _framed(widget: Framed, title: str) -> Framed:
    widget.border_title = title
    return widget
