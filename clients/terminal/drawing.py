"""How the desk looks: its state as coloured text and rows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from rich.text import Text

from clients.local_book import Level
from clients.terminal.desk import Desk, Gauge, Line, percent
from exchange.wire import OrderSay, PositionSay

GOOD: Final = "#26a69a"
BAD: Final = "#ef5350"
WARNING: Final = "#ffb74d"
FAINT: Final = "grey58"
TONES: Final = {"good": GOOD, "bad": BAD, "plain": ""}
DASH: Final = "-"
DOLLARS: Final = ("USDT", "USD")
_CALLED, _NEAR = Decimal("0.9"), Decimal("0.7")  # Of the way to liquidation: when colours change.
AMOUNT_PLACES: Final = 6
_HOUR_S, _MINUTE_S = 3600, 60

Row = tuple[str, tuple[Text, ...]]  # Its key, and its cells.


def headline(desk: Desk) -> Text:
    """Symbol, prices, funding, and that none of it is real money."""
    text = Text()
    text.append(" PAPER ", f"bold black on {WARNING}")
    text.append(f"  {desk.symbol}  ", "bold")
    ticker, mark = desk.tickers.get(desk.symbol), desk.marks.get(desk.symbol)
    last = desk.last_price()
    text.append(f"{last:f}" if last is not None else DASH, "bold")
    if ticker and ticker.change_percent:
        falls = ticker.change_percent.startswith("-")
        sign = "" if falls else "+"
        text.append(f"  {sign}{ticker.change_percent}%", BAD if falls else GOOD)
    if ticker:
        text.append(f"  24h vol {short(ticker.volume)} {desk.instrument.base}", FAINT)
    if mark:
        tick = desk.instrument.tick
        text.append(f"  index {on_tick(mark.index, tick)}", FAINT)
        if desk.perpetual:
            text.append(f"  mark {on_tick(mark.mark, tick)}", WARNING)
            text.append(f"  open interest {short(mark.open_interest or '0')}", FAINT)
        if mark.predicted_rate is not None and mark.next_funding is not None:
            wait = countdown(mark.next_funding - mark.time)
            text.append(f"  funding {percent(mark.predicted_rate)} in {wait}", WARNING)
    return text


def ladder(desk: Desk, rows: int, width: int) -> Text:
    """Asks above, bids below, each with a bar for its size; one's own prices are marked."""
    each = max(1, (rows - 1) // 2)
    asks, bids = desk.book.asks(each), desk.book.bids(each)
    largest = max((qty for _, qty in (*asks, *bids)), default=Decimal(1))
    own = {
        (order.side, Decimal(order.price))
        for order in desk.orders.values()
        if order.symbol == desk.symbol and order.price
    }
    text = Text()
    text.append("\n" * (each - len(asks)))
    for level in reversed(asks):
        text.append_text(_level(level, "sell", largest, width, own))
    text.append_text(_spread(desk, width))
    for level in bids:
        text.append_text(_level(level, "buy", largest, width, own))
    return text


def _level(
    level: Level, side: str, largest: Decimal, width: int, own: set[tuple[str, Decimal]]
) -> Text:
    price, qty = level
    mine = "◂" if (side, price) in own else " "
    line = f"{mine}{price:>12f}{f'{qty:f}':>{max(4, width - 14)}}"[: width - 1]
    colour = BAD if side == "sell" else GOOD
    bar = int(qty / largest * (width - 1))
    text = Text(line.ljust(width - 1), colour)
    text.stylize(
        f"{colour} on #3a2426" if side == "sell" else f"{colour} on #1d3431", width - 1 - bar
    )
    return text.append("\n")


def _spread(desk: Desk, width: int) -> Text:
    bid, ask = desk.book.best_bid, desk.book.best_ask
    spread = f"{ask[0] - bid[0]:f}" if bid and ask else DASH
    return Text(f"spread {spread}".center(width - 1) + "\n", FAINT)


def tape(desk: Desk, rows: int) -> Text:
    """The last trades, newest first."""
    text = Text()
    for trade in list(desk.trades)[:rows]:
        colour = GOOD if trade.taker_side == "buy" else BAD
        forced = " !" if trade.forced else ""
        text.append(f"{clock(trade.time)} ", FAINT)
        text.append(f"{trade.price:>9} {trade.qty:>8}{forced}\n", colour)
    return text


def margin_gauges(desk: Desk, width: int) -> Text:
    """A bar for each margin scope with something at stake, and how far it is from trouble."""
    gauges = desk.gauges()
    if not gauges:
        return Text("no debt, no position: nothing at stake", FAINT)
    text = Text()
    for gauge in gauges:
        text.append_text(_gauge(gauge, width))
    return text


def _gauge(gauge: Gauge, width: int) -> Text:
    colour = BAD if gauge.used >= _CALLED else WARNING if gauge.used >= _NEAR else GOOD
    state = "" if gauge.state == "normal" else f" {gauge.state.upper()}"
    text = Text(f"{gauge.wallet} level {gauge.level:.4f}{state}\n", colour)
    filled = int(gauge.used * (width - 2))
    text.append("█" * filled, colour).append("░" * (width - 2 - filled), FAINT).append("\n")
    to_end = gauge.fall_to(gauge.liquidation)
    to_call = gauge.fall_to(gauge.call)
    words = [f"to call {to_call:.1f}%"] if to_call is not None else []
    words += [f"to liquidation {to_end:.1f}%"] if to_end is not None else []
    return text.append("  ".join(words) + "\n", FAINT)


def log_line(line: Line) -> Text:
    """A line of the log."""
    return Text(f"{clock(line.time_ms)} ", FAINT).append(line.text, TONES[line.tone])


# -- rows of tables ----------------------------------------------------------------------------

SYMBOL_COLUMNS: Final = ("Symbol", "Last", "24h")
POSITION_COLUMNS: Final = (
    "Position",
    "Qty",
    "Entry",
    "Mark",
    "Unrealised",
    "Liquidation",
    "Leverage",
    "Margin",
)
ORDER_COLUMNS: Final = ("Order", "List", "Symbol", "Side", "Price", "Open", "Filled", "Wallet")
BALANCE_COLUMNS: Final = ("Wallet", "Asset", "Total", "Free", "Borrowed", "Interest", "Hourly")


def symbol_row(desk: Desk, symbol: str) -> tuple[Text, ...]:
    """A symbol with its last price and the day's change."""
    ticker = desk.tickers.get(symbol)
    last = (ticker.last if ticker else None) or DASH
    change = ticker.change_percent if ticker else None
    colour = "" if change is None else BAD if change.startswith("-") else GOOD
    day = f"{Decimal(change):+.1f}%" if change else DASH
    style = "bold reverse" if symbol == desk.symbol else ""
    return Text(symbol, style), right(last), right(day, colour)


def position_rows(desk: Desk) -> list[Row]:
    """Open positions at the newest mark, each with its leg as key."""
    rows: list[Row] = []
    for leg, position in sorted(desk.positions.items()):
        profit = desk.unrealised(position)
        way = GOOD if position.side == "long" else BAD
        tick = desk.instruments[position.symbol].tick
        row = (
            Text(f"{position.symbol} {position.side}{_leg(position)}", way),
            right(position.qty),
            right(on_tick(position.entry_price, tick)),
            right(on_tick(desk.mark_of(position), tick)),
            right(_profit(profit, position.settle), GOOD if profit >= 0 else BAD),
            right(on_tick(position.liquidation_price, tick), WARNING),
            right(f"{position.leverage}x {position.margin_mode}"),
            right(amount(position.margin)),
        )
        rows.append((leg, row))
    return rows


def _leg(position: PositionSay) -> str:
    """A mark of those that are one leg of two."""
    return "" if position.position_side == "both" else " leg"


def _profit(profit: Decimal, asset: str) -> str:
    """Dollars to the cent, coins to the last place that is kept."""
    return f"{profit:+.2f}" if asset in DOLLARS else f"{profit:+.8f} {asset}"


def order_rows(desk: Desk) -> list[Row]:
    """Open orders, newest first and those of a list together, each with its id as key."""
    newest: dict[int, int] = {}  # Of each list, its newest order.
    for order in desk.orders.values():
        if order.list_id is not None:
            newest[order.list_id] = max(order.order_id, newest.get(order.list_id, 0))

    def place(order: OrderSay) -> tuple[int, int]:
        first = order.order_id if order.list_id is None else newest[order.list_id]
        return -first, -order.order_id

    return [
        (
            str(order.order_id),
            (
                Text(str(order.order_id), FAINT),
                Text("" if order.list_id is None else str(order.list_id), FAINT),
                Text(order.symbol),
                Text(_order_side(order), GOOD if order.side == "buy" else BAD),
                right(price_text(order)),
                right(order.open_qty),
                right(order.filled_qty),
                Text(order.wallet, FAINT),
            ),
        )
        for order in sorted(desk.orders.values(), key=place)
    ]


def _order_side(order: OrderSay) -> str:
    """What it does, and in hedge mode to which leg."""
    leg = order.position_side
    return f"{order.side} {leg}" if leg in ("long", "short") else order.side


def price_text(order: OrderSay) -> str:
    """What an order asks for: its price, and before that the price that must come to wake it."""
    price = order.price or "market"
    if order.status != "pending_trigger":
        return price
    if order.trailing_bps:
        return f"{price} {_turn_text(order)}"
    # A buy stop waits for a rise, and so does a sale that takes profit.
    rises = order.type.startswith("stop") == (order.side == "buy")
    source = " mark" if order.trigger == "mark" else ""
    return f"{price} at{source} {'≥' if rises else '≤'} {order.trigger_price}"


def _turn_text(order: OrderSay) -> str:
    """How far the price must turn back to wake an order, and from where it follows."""
    turn = "↑" if order.side == "buy" else "↓"
    source = " mark" if order.trigger == "mark" else ""
    start = order.activation_price or order.trigger_price
    text = f"after {turn}{(Decimal(order.trailing_bps or 0) / 100).normalize():f} %{source}"
    return f"{text} from {start}" if start else text


def balance_rows(desk: Desk) -> list[Row]:
    """Balances and what is owed of each; empty ones are left out."""
    rows: list[Row] = []
    for (wallet, asset), say in sorted(desk.balances.items()):
        owed, interest = Decimal(say.borrowed), Decimal(say.interest)
        if not (Decimal(say.total) or owed or interest):
            continue
        rate = desk.rates.get(asset)
        row = (
            Text(wallet),
            Text(asset, "bold"),
            right(amount(say.total)),
            right(amount(say.free)),
            right(amount(say.borrowed) if owed else DASH, BAD),
            right(f"{interest:.8f}" if interest else DASH, BAD),
            right(percent(rate) if rate and owed else DASH, FAINT),
        )
        rows.append((f"{wallet} {asset}", row))
    return rows


# -- words -------------------------------------------------------------------------------------


def right(text: str, style: str = "") -> Text:
    """A cell of numbers."""
    return Text(text, style, justify="right")


def on_tick(price: str | None, tick: str) -> str:
    """A reckoned price in as many digits as one could trade at."""
    return DASH if price is None else f"{Decimal(price).quantize(Decimal(tick)):f}"


def amount(number: str) -> str:
    """An amount in at most six decimal places; the wire has all of them."""
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -AMOUNT_PLACES:
        value = value.quantize(Decimal(1).scaleb(-AMOUNT_PLACES), ROUND_DOWN)
    return f"{value:f}"


def clock(time_ms: int) -> str:
    """Exchange time of day, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M:%S")


def countdown(left_ms: int) -> str:
    """Hours, minutes and seconds that are left."""
    seconds = max(0, left_ms // 1000)
    hours, rest = divmod(seconds, _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{seconds:02}"


def short(number: str) -> str:
    """A large number in few digits."""
    value = Decimal(number)
    for limit, letter in ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k")):
        if abs(value) >= limit:
            return f"{value / limit:.1f}{letter}"
    return f"{value:.2f}"


def sums(amounts: dict[str, Decimal]) -> Iterable[str]:
    """Amounts by name, as words."""
    return (f"{amount.normalize():f} {name}" for name, amount in sorted(amounts.items()))
