"""What people on a random venue do with orders: each action is drawn from its own seed."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

from msgspec.structs import replace

from exchange.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Exit,
    PlaceList,
    PlaceOrder,
    SetMarginMode,
)
from matching.lists import ListKind
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TriggerSource
from risk.margin_worth import max_borrow
from risk.perp_report import perp_report
from tests.simulation.random_life import (
    GRID_MS,
    INVERSE,
    PEOPLE,
    PERPS,
    SPOTS,
    Action,
    Life,
)
from tests.story import refusal

SIDES = tuple(Side)
SIZES = (Fraction(100), Fraction(3_000), Fraction(40_000))  # In USDT.
LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"post_only": True},
    {"tif": TimeInForce.IOC},
    {"tif": TimeInForce.FOK},
    {"tif": TimeInForce.GTD, "expire_ms": 25_000},
    {"stp": SelfTrade.NONE},
    {"stp": SelfTrade.EXPIRE_TAKER},
    {"stp": SelfTrade.EXPIRE_BOTH},
    {"stp": SelfTrade.DECREMENT},
    {"client_id": "again"},
)
MARKETS: tuple[dict[str, Any], ...] = ({}, {"by_amount": True}, {"stp": SelfTrade.DECREMENT})
TRIGGERED = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
    OrderType.TRAILING_STOP,
)


def spot_order(life: Life, random: Random) -> None:
    """A limit or market order on a spot book, in cash or on margin, with or without a loan."""
    symbol, wallet = random.choice(SPOTS), random.choice(("spot", "margin", "margin", "isolated"))
    how = {"wallet": f"isolated:{symbol}" if wallet == "isolated" else wallet}
    more: dict[str, Any] = dict(how)
    more["side_effect"] = random.choice((0, 1, 1, 2, 3)) if wallet != "spot" else 0
    if random.random() < 0.3:
        more |= {"type": OrderType.MARKET} | random.choice(MARKETS)
    else:
        more |= random.choice(LIMITS)
        more["auto_repay_at_cancel"] = random.random() < 0.8
    away = random.choice((-40, -10, 0, 10, 40))
    life.order(
        random.randrange(PEOPLE), symbol, random.choice(SIDES), random.choice(SIZES), away, **more
    )


def contract_order(life: Life, random: Random) -> None:
    """A limit or market order on a contract."""
    more: dict[str, Any] = {"reduce_only": random.random() < 0.25}
    person, symbol = random.randrange(PEOPLE), random.choice(PERPS)
    if random.random() < 0.3:
        more |= {"type": OrderType.MARKET} | random.choice(MARKETS)
        if symbol == INVERSE:
            more.pop("by_amount", None)
    else:
        more |= random.choice(LIMITS) | {"leverage": random.choice((0, 0, 3, 20, 125))}
    if random.random() < 0.3:
        more["position_side"] = random.choice((0, 1, 2))
    away = random.choice((-40, -10, 0, 10, 40))
    life.order(person, symbol, random.choice(SIDES), random.choice(SIZES), away, **more)


def hide(life: Life, random: Random) -> None:
    """An iceberg that shows a part of itself, of a pair or a contract; never more than may be."""
    person, symbol = random.randrange(PEOPLE), random.choice((*SPOTS[:2], *PERPS))
    size, side = random.choice(SIZES), random.choice(SIDES)
    shown = max(1, life.lots(symbol, size) // random.choice((1, 3, 9, 20)))
    life.order(person, symbol, side, size, random.choice((-20, 0, 20)), iceberg_lots=shown)
    orders = life.story.person(life.people[person]).orders.values()
    icebergs = sum(1 for each in orders if each.symbol == symbol and each.iceberg_lots)
    assert icebergs <= life.engine.instruments[symbol].icebergs_max


def guard(life: Life, random: Random) -> None:
    """A stop or take-profit, near enough to fire."""
    person, symbol = random.randrange(PEOPLE), random.choice((*SPOTS[:2], *PERPS))
    away = random.choice((-200, -60, -20, 20, 60, 200))
    more: dict[str, Any] = {"type": random.choice(TRIGGERED)}
    if symbol in PERPS:
        more["trigger"] = random.choice(tuple(TriggerSource))
        more["price_protect"] = random.random() < 0.2
        more["reduce_only"] = random.random() < 0.4
        if random.random() < 0.3:
            more |= {"close_position": True, "lots": 0, "reduce_only": False}
            more["type"] = random.choice((OrderType.STOP, OrderType.TAKE_PROFIT))
        if life.story.person(life.people[person]).hedge:
            more["position_side"] = random.choice((1, 2))
    elif random.random() < 0.4:
        more |= {"wallet": "margin", "side_effect": random.choice((0, 1, 2, 3))}
    more["trigger_ticks"] = life.ticks(symbol, away)
    if more["type"] is OrderType.TRAILING_STOP:
        more["trailing_bps"] = random.choice((10, 50, 300))
        more["trigger_ticks"] = random.choice((0, more["trigger_ticks"]))
    life.order(person, symbol, random.choice(SIDES), random.choice(SIZES), away, **more)


def ladder_out(life: Life, random: Random) -> None:
    """Reduce-only orders for more than is held: they are trimmed as the position shrinks (P15)."""
    place = random.randrange(PEOPLE)
    account = life.story.person(life.people[place])
    for leg, held in sorted(account.positions.items()):
        symbol, _, name = leg.partition("/")
        side, sign = (Side.SELL, 1) if held.lots > 0 else (Side.BUY, -1)
        more = {"lots": abs(held.lots), "position_side": {"": 0, "LONG": 1, "SHORT": 2}[name]}
        for away in (20, 60):
            life.order(place, symbol, side, SIZES[0], sign * away, reduce_only=True, **more)
        if random.random() < 0.5:
            trigger = {"trigger_ticks": life.ticks(symbol, -sign * 100), "lots": 0}
            how = {"type": OrderType.STOP, "close_position": True, "trigger": TriggerSource.MARK}
            life.order(place, symbol, side, SIZES[0], 0, **(more | how | trigger))


def hang_together(life: Life, random: Random) -> None:
    """An OCO, an OTO or an OTOCO (S5): in at a limit, out at a gain or at a loss."""
    place, kind = random.randrange(PEOPLE), random.choice(tuple(ListKind))
    symbol, side = random.choice((*SPOTS[:2], *PERPS)), random.choice(SIDES)
    account = life.story.person(life.people[place])
    fields: dict[str, Any] = {"account_id": account.id, "symbol": symbol, "wallet": "perp"}
    if symbol not in PERPS:
        fields["wallet"] = random.choice(("spot", "margin"))
    elif account.hedge:
        fields["position_side"] = random.choice((1, 2))
    wish = PlaceOrder(**fields, side=side, lots=life.lots(symbol, random.choice(SIZES)))
    gain = 1 if side is Side.SELL else -1
    ticks = [life.ticks(symbol, gain * away) for away in (random.choice((10, 40)), -30)]
    limit = replace(wish, price_ticks=ticks[0], post_only=True)
    stop = replace(wish, type=OrderType.STOP, trigger_ticks=ticks[1])
    price = life.ticks(symbol, -gain * random.choice((-20, 5, 40)))
    working = replace(wish, side=side.opposite, price_ticks=price)
    orders = {
        ListKind.OCO: [limit, stop],
        ListKind.OTO: [working, limit],
        ListKind.OTOCO: [working, limit, stop],
    }[kind]
    life.do(PlaceList, account_id=account.id, kind=int(kind), orders=orders)


def bracket(life: Life, random: Random) -> None:
    """An order that brings its own exits (P16, T21), now and then on the wrong side."""
    person, symbol, side = (
        random.randrange(PEOPLE),
        random.choice((*SPOTS, *PERPS)),
        random.choice(SIDES),
    )
    gain = 1 if side is Side.BUY else -1
    more: dict[str, Any] = {}
    sources = tuple(TriggerSource) if symbol in PERPS else (TriggerSource.LAST,)
    for name, away in (("take_profit", 40), ("stop_loss", -40)):
        if random.random() < 0.75:
            ticks = life.ticks(symbol, gain * away * random.choice((1, 1, 3, -1)))
            limit_ticks = random.choice((0, 0, ticks))
            more[name] = Exit(ticks, limit_ticks, random.choice(sources))
    if symbol in PERPS:
        more["leverage"] = random.choice((0, 20))
    elif random.random() < 0.5:
        more |= {"wallet": "margin", "side_effect": random.choice((0, 1, 3))}
    more |= random.choice((*LIMITS, {"type": OrderType.MARKET}))
    away = random.choice((-20, 0, 5))
    life.order(person, symbol, side, random.choice(SIZES), gain * away, **more)


STRANGE: tuple[dict[str, Any], ...] = (
    {"lots": 10**15},
    {"lots": 0},
    {"price_ticks": 0},
    {"price_ticks": 10**15},
    {"type": OrderType.MARKET, "price_ticks": 5_000_000},
    {"tif": TimeInForce.GTD, "expire_ms": -GRID_MS},
    {"tif": TimeInForce.GTD},
    {"leverage": 124},
    {"leverage": 1_000},
    {"close_position": True, "type": OrderType.STOP, "trigger_ticks": 1},
    {"wallet": "margin"},
    {"wallet": "spot", "side_effect": 1},
    {"side_effect": 1},
    {"reduce_only": True},
    {"client_id": "?" * 40},
)


def strange_order(life: Life, random: Random) -> None:
    """What no program that reads its manual would send."""
    symbol, away = random.choice((*SPOTS, *PERPS, "XYZ-USDT")), random.choice((0, -9_000, 30_000))
    if symbol not in life.engine.instruments:
        account_id = random.choice(life.people)
        life.do(PlaceOrder, account_id=account_id, symbol=symbol, lots=1, price_ticks=1)
        return
    size, how = random.choice((*SIZES, Fraction(10**7))), random.choice(STRANGE)
    life.order(random.randrange(PEOPLE), symbol, random.choice(SIDES), size, away, **how)


# -- two people --------------------------------------------------------------------------------


def lever(life: Life, random: Random) -> None:
    """Put a wallet and so much of what it may borrow into one trade with somebody's cash."""
    person, symbol, side = random.randrange(PEOPLE), random.choice(SPOTS), random.choice(SIDES)
    account = life.story.person(life.people[person])
    wallet = random.choice(("margin", f"isolated:{symbol}"))
    instrument = life.engine.instruments[symbol]
    asset = instrument.quote if side is Side.BUY else instrument.base
    minor = account.free(wallet, asset)
    room = max_borrow(life.engine.risk, account, wallet, asset)
    minor += room * random.choice((30, 95, 99)) // 100
    size = Fraction(minor, 10**8) * (life.prices[asset] if asset != "USDT" else 1)
    if size <= 0:
        return
    other = (person + 1) % PEOPLE
    for gift in (instrument.base, instrument.quote):
        life.story.deposit(
            life.people[other], "spot", gift, "10000000" if gift == "USDT" else "1000"
        )
    life.order(other, symbol, side.opposite, size, 0)
    life.order(person, symbol, side, size, 0, wallet=wallet, side_effect=1, tif=TimeInForce.IOC)


def meet(life: Life, random: Random) -> None:
    """Two people take the two sides of a position, with so much of what both have."""
    person, symbol, side = random.randrange(PEOPLE), random.choice(PERPS), random.choice(SIDES)
    other = (person + random.randrange(1, PEOPLE)) % PEOPLE
    settle = life.engine.instruments[symbol].settle
    available = min(
        perp_report(life.engine.risk, life.story.person(life.people[each]), settle).available_minor
        for each in (person, other)
    )
    leverage = random.choice((3, 10, 25, 100))
    size = Fraction(available, 10**8) * leverage * random.choice((20, 60, 90)) / 100
    if settle == "BTC":
        size *= life.prices["BTC"]
    life.order(other, symbol, side.opposite, size, 0, leverage=leverage)
    life.order(person, symbol, side, size, 0, leverage=leverage, tif=TimeInForce.IOC)


def lay_out(life: Life, random: Random) -> None:
    """A ladder on both sides of a book: liquidations, and the venue after them, find somebody."""
    symbol, person = random.choice((*SPOTS, *PERPS)), random.randrange(PEOPLE)
    size = random.choice(SIZES) if symbol in PERPS else SIZES[-1]
    for away in (-150, -30, 30, 150):
        side = Side.BUY if away < 0 else Side.SELL
        life.order(person, symbol, side, size, away)


def close_badly(life: Life, random: Random) -> None:
    """Close an isolated position by oneself, far beyond the price at which it is bankrupt."""
    symbol, side = random.choice(PERPS), random.choice(SIDES)
    person, other = random.sample(range(PEOPLE), 2)
    account = life.people[person]
    life.do(CancelAll, account_id=account)
    life.do(SetMarginMode, account_id=account, symbol=symbol, isolated=True)
    how: dict[str, Any] = {"leverage": random.choice((25, 100))}
    sides: dict[str, Any] = {}
    if life.story.person(account).hedge:
        sides = {"position_side": 1 if side is Side.BUY else 2}
    life.order(other, symbol, side.opposite, SIZES[1], 0)
    life.order(person, symbol, side, SIZES[1], 0, **how, **sides)
    away = random.choice((-450, -200)) if side is Side.BUY else random.choice((200, 450))
    life.order(other, symbol, side, SIZES[1], away)
    more = {"reduce_only": True, "type": OrderType.MARKET} | sides
    life.order(person, symbol, side.opposite, SIZES[1], 0, **more)


# -- orders that are there ---------------------------------------------------------------------


def an_order(life: Life, random: Random, person: int) -> int:
    """The id of one of a person's open orders; an unknown one where there is none."""
    orders = list(life.story.person(life.people[person]).orders)
    return random.choice(orders) if orders and random.random() < 0.95 else 10**9


def cancel(life: Life, random: Random) -> None:
    """One order."""
    person = random.randrange(PEOPLE)
    order_id = an_order(life, random, person)
    life.do(CancelOrder, account_id=life.people[person], order_id=order_id)


def cancel_all(life: Life, random: Random) -> None:
    """All orders of a person, or those on a symbol or on a wallet."""
    symbol = random.choice(("", "", *SPOTS, *PERPS))
    wallet = random.choice(("", "", "spot", "margin"))
    life.do(CancelAll, account_id=random.choice(life.people), symbol=symbol, wallet=wallet)


def clear_book(life: Life, random: Random) -> None:
    """Everybody cancels on a symbol: whoever is liquidated now finds nobody."""
    symbol = random.choice(PERPS)
    for account_id in life.people:
        life.do(CancelAll, account_id=account_id, symbol=symbol)


def amend(life: Life, random: Random) -> None:
    """Another size or price."""
    person = random.randrange(PEOPLE)
    account = life.story.person(life.people[person])
    order = account.orders.get(an_order(life, random, person))
    if order is None:
        return
    before, lots = order.state(), order.lots
    size, moved = random.choice((1, 50, 90, 100, 150)), random.choice((0, 0, -30, 5, 40))
    price = max(1, order.price_ticks * (10_000 + moved) // 10_000) if moved else 0
    wish = {"lots": max(1, lots * size // 100), "price_ticks": price}
    if order.is_asleep and random.random() < 0.5:
        wish = {"trigger_ticks": max(1, order.trigger_ticks * random.choice((998, 1_002)) // 1_000)}
    events = life.do(AmendOrder, account_id=account.id, order_id=order.order_id, **wish)
    reason = refusal(events)
    if reason is not None and reason is not Reason.WOULD_TAKE:
        assert order.state() == before  # A refused replacement leaves the old order be.


ORDER_ACTIONS: dict[str, Action] = {
    each.__name__: each
    for each in (
        spot_order,
        contract_order,
        guard,
        ladder_out,
        hang_together,
        bracket,
        strange_order,
        lever,
        meet,
        lay_out,
        close_badly,
        cancel,
        cancel_all,
        hide,
        clear_book,
        amend,
    )
}
