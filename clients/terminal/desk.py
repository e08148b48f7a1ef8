"""What the trading desk knows: the market it looks at and the account it trades, from events.

A plain object, without a screen: `hear` takes what the client's subscriptions deliver, the screen
reads.  Money is Decimal here, because a screen adds and divides; the exchange's own numbers come as
they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from clients.channels import ACCOUNT_CHANNEL, Event, Notice
from clients.local_book import LocalBook, OutOfStep
from exchange.wire import (
    PRIVATE_CHANNELS,
    AccountSay,
    BalanceSay,
    CandleSay,
    FillSay,
    InstrumentSay,
    LoanSay,
    MarginSay,
    MarkSay,
    OrderSay,
    PositionSay,
    TickerSay,
    TradeSay,
)

CANDLES_KEPT: Final = 500
TRADES_KEPT: Final = 100
LINES_KEPT: Final = 500
OPEN: Final = ("new", "partially_filled", "pending_trigger")
ENDED_UNASKED: Final = ("expired", "expired_in_match", "rejected")
ZERO: Final = Decimal(0)


class Line(NamedTuple):
    """One line of the desk's log; `tone` is good, bad or plain."""

    time_ms: int
    text: str
    tone: str = "plain"


class Gauge(NamedTuple):
    """How near a margin scope is to trouble."""

    wallet: str
    level: Decimal  # Assets over debt; of perpetuals, balance over maintenance. 999 without debt.
    call: Decimal | None
    liquidation: Decimal
    state: str

    @property
    def used(self) -> Decimal:
        """The way to liquidation that is used up: 0 without debt, 1 at the end."""
        return min(Decimal(1), self.liquidation / self.level) if self.level > 0 else Decimal(1)

    def fall_to(self, level: Decimal | None) -> Decimal | None:
        """How far the level may fall until it reaches another, in percent of itself."""
        if level is None or self.level <= 0:
            return None
        return max(ZERO, (1 - level / self.level) * 100)


class Desk:
    """The state behind the screen."""

    def __init__(self, instruments: Iterable[InstrumentSay], symbol: str, interval: str) -> None:
        self.instruments = {say.symbol: say for say in instruments}
        self.tickers: dict[str, TickerSay] = {}
        self.marks: dict[str, MarkSay] = {}
        self.account_id = 0
        self.balances: dict[tuple[str, str], BalanceSay] = {}
        self.rates: dict[str, str] = {}  # What an hour of borrowing an asset costs, once known.
        self.positions: dict[str, PositionSay] = {}  # By leg, see `leg_of`.
        self.hedge = False  # Whether the account holds both legs of a perpetual apart.
        self.margins: dict[str, MarginSay] = {}
        self.orders: dict[int, OrderSay] = {}
        self.modes: dict[str, str] = {}  # The margin mode of each perpetual that was ever set.
        self.interest: dict[str, Decimal] = {}  # Charged since the desk opened, by asset.
        self.funding: dict[str, Decimal] = {}  # Received less paid, by symbol.
        self.lines: deque[Line] = deque(maxlen=LINES_KEPT)
        self.line_count = 0
        self.choose(symbol, interval)

    # -- the market it looks at ----------------------------------------------------------------

    def choose(self, symbol: str, interval: str) -> None:
        """Look at another symbol or interval; its history comes with `fill_in`."""
        self.symbol = symbol
        self.interval = interval
        self.book = LocalBook(symbol)
        self.trades: deque[TradeSay] = deque(maxlen=TRADES_KEPT)  # Newest first.
        self.candles: dict[int, CandleSay] = {}

    @property
    def instrument(self) -> InstrumentSay:
        """What it looks at."""
        return self.instruments[self.symbol]

    @property
    def perpetual(self) -> bool:
        """Whether that is a perpetual."""
        return self.instrument.kind != "spot"

    def market_channels(self) -> tuple[str, ...]:
        """What to hear of the symbol it looks at."""
        symbol = self.symbol
        return (f"book.{symbol}", f"trades.{symbol}", f"candles.{self.interval}.{symbol}")

    def standing_channels(self) -> tuple[str, ...]:
        """What to hear all the time: the account, every ticker, every mark."""
        tickers = tuple(f"ticker.{symbol}" for symbol in self.instruments)
        marks = tuple(f"mark.{symbol}" for symbol in self.instruments)
        return (*PRIVATE_CHANNELS, *tickers, *marks)

    def fill_in(self, candles: Iterable[CandleSay], trades: Iterable[TradeSay]) -> None:
        """History: candles oldest first, trades newest first.  What was heard since stands."""
        heard, self.candles = self.candles, {}
        for candle in (*candles, *heard.values()):
            self._candle(candle)
        last = self.trades[-1].trade_id if self.trades else None
        self.trades.extend(t for t in trades if last is None or t.trade_id < last)

    # -- folding -------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Fold an event; what is about another symbol than the one looked at is let go."""
        kind = event.channel.partition(".")[0]
        match kind:
            case "book" if event.channel == f"book.{self.symbol}":
                self._book(event)
            case "trades" if event.data.symbol == self.symbol:
                self.trades.appendleft(event.data)
            case "candles" if event.channel == f"candles.{self.interval}.{self.symbol}":
                self._candle(event.data)
            case "ticker":
                self.tickers[event.data.symbol] = event.data
            case "mark":
                self.marks[event.data.symbol] = event.data
            case _:
                self._hear_own(event)

    def _hear_own(self, event: Event) -> None:
        match event.channel:
            case name if name == ACCOUNT_CHANNEL:
                self._account(event.data)
            case "orders":
                self._order(event)
            case "fills":
                self._fill(event)
            case "balances":
                self.balances[event.data.wallet, event.data.asset] = event.data
            case "positions":
                self._position(event.data)
            case "margin":
                self._margin(event)

    def _book(self, event: Event) -> None:
        try:
            self.book.apply(event.data)
        except OutOfStep:
            self.book = LocalBook(self.symbol)  # The client asks for a snapshot by itself.

    def _candle(self, candle: CandleSay) -> None:
        self.candles[candle.open_time] = candle
        while len(self.candles) > CANDLES_KEPT:
            del self.candles[next(iter(self.candles))]

    def _account(self, say: AccountSay) -> None:
        """The account as it stands: at the beginning, and after a break too long to resume."""
        self.account_id = say.account_id
        self.balances = {(b.wallet, b.asset): b for b in say.balances}
        self.rates.update({loan.asset: loan.hourly_rate for loan in say.loans})
        self.positions = {leg_of(p): p for p in say.positions if Decimal(p.qty)}
        self.hedge = say.settings.get("position_mode") == "hedge"
        self.margins = {m.wallet: m for m in say.margins}
        self.orders = {}
        symbols = say.settings.get("symbols", {})
        self.modes = {name: setting["margin_mode"] for name, setting in symbols.items()}

    def open_orders(self, orders: Iterable[OrderSay]) -> None:
        """The orders that were open when the desk began to listen."""
        for order in orders:
            if order.status in OPEN:
                self.orders.setdefault(order.order_id, order)

    def _order(self, event: Event) -> None:
        order: OrderSay = event.data
        if order.status in OPEN:
            self.orders[order.order_id] = order
            return
        self.orders.pop(order.order_id, None)
        if order.status in ENDED_UNASKED or (order.status == "cancelled" and order.reason):
            why = f": {order.reason}" if order.reason else ""
            text = f"{order.side} {order.qty or order.quote_qty} {order.symbol} {order.status}{why}"
            self.say(event.time, text, "bad")

    def _fill(self, event: Event) -> None:
        fill: FillSay = event.data
        what = "bought" if fill.side == "buy" else "sold"
        made = ""
        if fill.realised and Decimal(fill.realised):
            made = f", made {fill.realised} {fill.realised_asset or ''}".rstrip()
        text = f"{what} {fill.qty} {fill.symbol} at {fill.price}, fee {fill.fee} {fill.fee_asset}"
        self.say(event.time, text + made, "good" if fill.side == "buy" else "bad")

    def _position(self, say: PositionSay) -> None:
        if Decimal(say.qty):
            self.positions[leg_of(say)] = say
        else:
            self.positions.pop(leg_of(say), None)

    # -- margin, interest, funding -------------------------------------------------------------

    def _margin(self, event: Event) -> None:
        say: Notice = event.data
        self.margins[say.wallet] = say
        match say.notice:
            case "interest":
                self._interest(event.time, say)
            case "funding":
                self._funding(event.time, say)
            case "loan" if say.loan is not None:
                self._loan(event.time, say.loan)
            case "":
                pass
            case _:
                self._news(event.time, say)

    def _interest(self, time_ms: int, say: Notice) -> None:
        asset, amount = say.asset or "", Decimal(say.amount or "0")
        self.interest[asset] = self.interest.get(asset, ZERO) + amount
        balance = self.balances.get((say.wallet, asset))
        if balance is not None and say.interest is not None:
            net = Decimal(balance.net) - amount
            owing = msgspec.structs.replace(balance, interest=say.interest, net=f"{net:f}")
            self.balances[say.wallet, asset] = owing
        if say.rate:
            self.rates[asset] = say.rate
        rate = f" at {percent(say.rate)} an hour" if say.rate else ""
        text = f"interest {amount.normalize():f} {asset} on {say.principal} {asset}{rate}"
        self.say(time_ms, text, "bad")

    def _funding(self, time_ms: int, say: Notice) -> None:
        symbol, amount = say.symbol or "", Decimal(say.amount or "0")
        self.funding[symbol] = self.funding.get(symbol, ZERO) + amount
        did = "paid" if amount < 0 else "received"
        rate = f" at {percent(say.rate)}" if say.rate else ""
        text = f"funding {did} {abs(amount):f} {say.asset} on {say.qty} {symbol}{rate}"
        self.say(time_ms, text, "bad" if amount < 0 else "good")

    def _loan(self, time_ms: int, loan: LoanSay) -> None:
        self.rates[loan.asset] = loan.hourly_rate
        if Decimal(loan.borrowed):
            self.say(time_ms, f"borrowed {loan.borrowed} {loan.asset} into {loan.wallet}")
        else:
            paid = f"{loan.repaid_principal} {loan.asset} and {loan.repaid_interest} of interest"
            self.say(time_ms, f"repaid {paid} in {loan.wallet}")

    def _news(self, time_ms: int, say: Notice) -> None:
        if say.setting == "margin_mode" and say.symbol and say.value:
            self.modes[say.symbol] = say.value
        if say.setting == "position_mode":
            self.hedge = say.value == "hedge"
        if say.says:
            self.say(time_ms, say.says, "bad")
            return
        words = say.notice.replace("_", " ")
        told = [("", say.symbol), ("add", say.add), ("", say.step), ("", say.result)]
        told += [("", say.setting), ("", say.value), ("qty", say.qty), ("at", say.price)]
        more = " ".join(f"{name} {value}".strip() for name, value in told if value)
        urgent = say.notice.startswith(("margin_call", "liquidation"))
        calm = say.notice == "margin_call_cleared"
        tone = "good" if calm else "bad" if urgent else "plain"
        self.say(time_ms, f"{words} {say.wallet} {more}".strip(), tone)

    def say(self, time_ms: int, text: str, tone: str = "plain") -> None:
        """Write a line into the log."""
        self.lines.append(Line(time_ms, text, tone))
        self.line_count += 1

    # -- what the screen asks ------------------------------------------------------------------

    def last_price(self) -> Decimal | None:
        """The last trade's price, or the ticker's before there was one."""
        if self.trades:
            return Decimal(self.trades[0].price)
        ticker = self.tickers.get(self.symbol)
        return Decimal(ticker.last) if ticker and ticker.last else None

    def unrealised(self, position: PositionSay) -> Decimal:
        """Profit of a position at the newest mark, which moves more often than the position.

        It is of the asset the position settles in: an inverse contract wins and loses coins.
        """
        mark = self.marks.get(position.symbol)
        if mark is None or mark.mark is None:
            return Decimal(position.unrealised)
        way = 1 if position.side == "long" else -1
        entry, now = Decimal(position.entry_price), Decimal(mark.mark)
        instrument = self.instruments[position.symbol]
        size = Decimal(position.qty) * Decimal(instrument.multiplier or 1)
        if instrument.kind == "inverse":
            return way * size * (1 / entry - 1 / now)
        return way * (now - entry) * size

    def mark_of(self, position: PositionSay) -> str:
        """The newest mark of a position's symbol."""
        mark = self.marks.get(position.symbol)
        return mark.mark if mark and mark.mark else position.mark_price

    def gauges(self) -> list[Gauge]:
        """The margin scopes with something at stake, the nearest to liquidation first."""
        gauges = [
            Gauge(
                say.wallet,
                Decimal(say.level),
                Decimal(say.call_level) if say.call_level else None,
                Decimal(say.liquidation_level),
                say.state,
            )
            for say in self.margins.values()
            if Decimal(say.debt)
        ]
        return sorted(gauges, key=lambda gauge: -gauge.used)


def leg_of(position: PositionSay) -> str:
    """What a position is known by: its symbol, and in hedge mode its side."""
    if position.position_side == "both":
        return position.symbol
    return f"{position.symbol} {position.position_side}"


def percent(rate: str) -> str:
    """A rate as a percentage, in at most six places."""
    return f"{round(Decimal(rate) * 100, 6).normalize():f}%"
