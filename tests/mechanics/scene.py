"""The verbs of worked examples: each does on an engine what its words say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from exchange.commands import (
    BORROW,
    REPAY,
    AdjustPositionMargin,
    Borrow,
    CancelAll,
    ConvertDust,
    FeedPrices,
    Repay,
    SetFeeDiscount,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetPositionMode,
    Transfer,
)
from exchange.config import Config, venue_of
from exchange.events import AnyEvent
from matching.types import OrderType, Side, TriggerSource
from risk.parameters import Venue
from tests.mechanics.reading import Line, Value
from tests.mechanics.reckoning import reckon
from tests.story import FOREVER_MS, START_MS, Story, refusal, units

SYMBOLS = (
    *("BTC-USDT", "ETH-USDT", "SOL-USDT", "BNB-USDT", "ETH-BTC"),
    *("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP", "BTC-USD-PERP"),
)
FUNDS = {"insurance": "insurance_minor", "margin_insurance": "margin_insurance_minor"}
STREET = "street"  # Takes the other side of what is traded "at" a price.
MARKET = "market"  # Rests orders of its own where an example says so.
VALUES = {"true": True, "false": False}
UNITS_MS = {"seconds": 1_000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
EFFECTS = {"borrowing": BORROW, "repaying": REPAY}


class Scene:
    """One example: a venue of its own at prices that stand still, and everybody who acts."""

    def __init__(self, lines: list[Line]) -> None:
        given = [line.words[1:] for line in lines if line.words[0] == "given"]
        self.story = Story(venue_with(given))
        self.people: dict[str, int] = {}
        self.put_in: dict[tuple[str, str], int] = {}  # (who, asset): what was deposited, minor.
        self.last: list[AnyEvent] = []  # What the last thing that was done led to.
        self.steps: list[str] | None = None  # Of the last liquidation, those not told yet.
        self.house = self.story.engine.risk.ledger.house_totals()

    # -- people --------------------------------------------------------------------------------

    def account(self, who: str) -> int:
        """The account of that name; opened when it is first named."""
        if who not in self.people:
            self.people[who] = self.story.account(who)
            if who in (STREET, MARKET):
                self._make_rich(who)
        return self.people[who]

    def _make_rich(self, who: str) -> None:
        for each in self.story.venue.assets:
            self.deposit(who, ["spot", each.asset, "1000000"])
        self.deposit(who, ["perp", "USDT", "1000000000"])
        self.deposit(who, ["perp:BTC", "BTC", "1000000"])

    def deposit(self, who: str, words: list[str]) -> None:
        """WALLET ASSET AMOUNT of fictional money."""
        wallet, asset, amount = words
        self.story.deposit(self.account(who), wallet, asset, amount)
        self.put_in[who, asset] = self.put_in.get((who, asset), 0) + units(amount)

    # -- what is done --------------------------------------------------------------------------

    def act(self, line: Line) -> None:
        """Do what a line says."""
        verb, words = line.words[0], line.words[1:]
        if verb == "deposit":
            self.deposit(line.who, words)
            self.last = []
        elif verb in SIDES:
            self.last = self.trade(line.who, SIDES[verb], words)
        elif verb == "price":
            self.last = self.story.index(*words)
        elif verb == "prices":
            told = {base: units(price) for base, price in zip(words[::2], words[1::2], strict=True)}
            feed = self.story.venue.feeds[0]
            self.story.do(FeedPrices, feed=feed, prices_e8=told, stale_ms=FOREVER_MS)
            self.last = self.story.wait(1_000)
        elif verb == "wait":
            self.last = self.story.wait(int(words[0]) * UNITS_MS[words[1]])
        elif verb not in ("given", "reckon"):
            kind, fields = VERBS[verb](words)
            self.last = self.story.do(kind, account_id=self.account(line.who), **fields)

    def trade(self, who: str, side: Side, words: list[str]) -> list[AnyEvent]:
        """SYMBOL QTY [at PRICE] and options; at a price the street takes the other side."""
        symbol, qty, *options = words
        account = self.account(who)
        price, more = "", order_fields(symbol, qty, options, self.story)
        if "at" in options:
            price = options[options.index("at") + 1]
        there = self.account(STREET)

        def ours() -> list[AnyEvent]:
            size = () if qty == "all" else (qty, *([price] if price else []))
            return self.story.place(account, side, symbol, *size, **more)

        def theirs() -> list[AnyEvent]:
            return self.story.place(there, side.opposite, symbol, qty, price)

        if not price or "waiting" in options:
            return ours()
        if "maker" in options:
            events = ours()
            return events if refusal(events) else events[:-1] + theirs()
        assert refusal(theirs()) is None
        events = ours()
        self.story.do(CancelAll, account_id=there)  # What was refused leaves no quote behind.
        return events

    def reckoned(self, words: list[str]) -> Value:
        """What a `reckon` line comes to."""
        return reckon(self.story.venue, words)


def order_fields(symbol: str, qty: str, options: list[str], story: Story) -> dict[str, Any]:
    """The fields of an order that its options name."""
    instrument = story.engine.instruments[symbol]
    fields: dict[str, Any] = {}
    words = iter(options)
    for word in words:
        if word == "leverage":
            fields["leverage"] = int(next(words))
        elif word == "on":
            fields["wallet"] = next(words)
        elif word in EFFECTS:
            fields["side_effect"] = EFFECTS[word]
        elif word in ("stop", "take-profit"):
            fields["type"] = OrderType.STOP if word == "stop" else OrderType.TAKE_PROFIT
            ticks = instrument.ticks(next(words))
            assert isinstance(ticks, int), ticks
            fields["trigger_ticks"] = ticks
        elif word == "by":
            fields["trigger"] = TriggerSource[next(words).upper()]
        elif word == "reduce-only":
            fields["reduce_only"] = True
        elif word in ("long", "short"):
            fields["position_side"] = 1 if word == "long" else 2
        elif word == "at":
            next(words)
        else:
            assert word in ("waiting", "maker"), word
    if qty == "all":
        fields["close_position"] = True
    return fields


def venue_with(given: list[list[str]]) -> Venue:
    """The default venue at fixed prices, with keys of papertape.toml or other funds chosen."""
    document: dict[str, Any] = {
        "market": {"prices": "fixed", "agents": False, "history": False, "symbols": SYMBOLS}
    }
    changes: dict[str, Any] = {"deposits": ()}
    for key, value in given:
        if key in FUNDS:
            changes[FUNDS[key]] = units(value)
            continue
        *sections, name = key.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = VALUES.get(value, int(value) if name.endswith("_ms") else value)
    venue = venue_of(msgspec.convert(document, Config), START_MS)
    return msgspec.structs.replace(venue, **changes)


def _amount(words: list[str]) -> dict[str, Any]:
    wallet, asset, amount = words
    return {
        "wallet": wallet,
        "asset": asset,
        "amount_minor": 0 if amount == "all" else units(amount),
    }


def _transfer(words: list[str]) -> tuple[type, dict[str, Any]]:
    source, target, asset, amount = words
    return Transfer, {
        "source": source,
        "target": target,
        "asset": asset,
        "amount_minor": units(amount),
    }


VERBS: dict[str, Callable[[list[str]], tuple[type, dict[str, Any]]]] = {
    "borrow": lambda words: (Borrow, _amount(words)),
    "repay": lambda words: (Repay, _amount(words)),
    "transfer": _transfer,
    "isolate": lambda words: (SetMarginMode, {"symbol": words[0], "isolated": True}),
    "leverage": lambda words: (SetLeverage, {"symbol": words[0], "leverage": int(words[1])}),
    "cross-leverage": lambda words: (SetMarginLeverage, {"leverage": int(words[0])}),
    "hedge": lambda _: (SetPositionMode, {"hedge": True}),
    "multi-asset": lambda _: (SetMultiAsset, {"on": True}),
    "discount": lambda _: (SetFeeDiscount, {"on": True}),
    "dust": lambda words: (ConvertDust, {"wallet": "spot", "assets": words}),
    "cancel": lambda words: (CancelAll, {"symbol": words[0]}),
    "add-margin": lambda words: (
        AdjustPositionMargin,
        {"symbol": words[0], "amount_minor": units(words[1])},
    ),
}
