"""Tests of the mixed flow: it is stamped in order, the same for a seed, and varied."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.bench.mixed import HOUR_AT_MS, WEIGHTS, MixedFlow, mixed_venue
from exchange.commands import AnyCommand, FeedPrices, PlaceOrder
from exchange.engine import Engine
from exchange.events import Answered


def flow_of(seed: int, accounts: int = 10, orders: int = 80) -> tuple[MixedFlow, Engine]:
    venue = mixed_venue(seed, 1_000, 100)
    flow = MixedFlow(venue, accounts=accounts, orders=orders, seed=seed, commands_per_s=100)
    return flow, Engine(venue)


def obeyed(flow: MixedFlow, engine: Engine, chunks: int) -> Iterator[AnyCommand]:
    """Every command of the opening and of some chunks, each obeyed."""
    for command in (*flow.opening(), *flow.resting()):
        answer = engine.apply(command)[-1]
        assert isinstance(answer, Answered)
        assert answer.reason is None, (command, answer)
        yield command
    for _ in range(chunks):
        for command in flow.chunk(engine, 250):
            engine.apply(command)
            yield command


def test_the_opening_is_never_refused_and_leaves_as_many_orders_as_asked() -> None:
    flow, engine = flow_of(1)
    assert list(obeyed(flow, engine, 0))
    assert sum(len(book.orders) for book in engine.books.values()) == 80
    assert all(engine.risk.mark_e8(symbol) for symbol in engine.risk.perps)
    engine.check()


def test_equal_seeds_make_equal_commands_and_other_seeds_others() -> None:
    made = [list(obeyed(*flow_of(seed), 4)) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_commands_are_numbered_and_time_crosses_the_hour() -> None:
    commands = list(obeyed(*flow_of(3), 5))
    assert [command.seq for command in commands] == list(range(1, len(commands) + 1))
    times = [command.time_ms for command in commands]
    assert times == sorted(times)
    assert times[0] < HOUR_AT_MS < times[-1]


def test_every_act_of_the_weights_happens_and_the_books_keep_their_size() -> None:
    flow, engine = flow_of(4)
    commands = list(obeyed(flow, engine, 12))
    kinds = {type(command).__name__ for command in commands}
    assert len(kinds) >= 13  # Of the weights: seven ways to place an order, eleven others.
    assert len(WEIGHTS) == 18
    assert sum(isinstance(command, FeedPrices) for command in commands) > 10
    assert any(isinstance(each, PlaceOrder) and each.trigger_ticks for each in commands)
    wallets = {each.wallet for each in commands if isinstance(each, PlaceOrder)}
    assert {"spot", "margin", "isolated:BTC-USDT", "perp"} <= wallets
    assert 20 < sum(len(book.orders) for book in engine.books.values()) < 400
    engine.check()
