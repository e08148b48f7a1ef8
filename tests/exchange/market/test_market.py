"""The whole market: same seed same commands, no hidden state, a bounded rate, sound money."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from exchange.commands import (
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    SetIndexPrice,
    SetLeverage,
    Tick,
)
from exchange.engine import Engine
from exchange.events import Filled, Traded
from exchange.market.market import COMMANDS_PER_S_MAX, market, opening_prices, prehistory
from exchange.market.sight import E8, standing_prints
from exchange.market.tape import Tape, open_tapes
from exchange.venue import default_venue
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue


def test_the_same_seed_sends_the_same_commands() -> None:
    logs = [Stage(small_venue(seed=seed)).run(40) for seed in (1, 1, 2)]
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


@pytest.mark.parametrize("seconds", [20, 31.4])
def test_a_restart_in_the_middle_goes_on_as_if_nothing_had_been(seconds: float) -> None:
    whole = Stage(small_venue())
    whole.run(seconds)
    # Another engine obeys the same commands, and sources that know nothing take over.
    venue = small_venue()
    engine = Engine(venue)
    for command in whole.journal:
        engine.apply(command)
    again = Stage(venue, market(venue, engine.time_ms))
    again.engine = engine
    assert again.run(20) == whole.run(20)


def test_the_market_sets_itself_up_in_order() -> None:
    venue = small_venue()
    stage = Stage(venue, market(venue, venue.start_ms)[:1])  # Without noise, who comes between.
    first = stage.moment()
    assert isinstance(first[0], FeedPrices)
    assert {type(command) for command in first[1:]} == {OpenAccount}
    assert {type(command) for command in stage.moment()} == {Deposit, SetLeverage}
    assert {type(command) for command in stage.moment()} == {PlaceOrder}
    assert min(stage.levels(PAIR)) >= 100
    stage.run(1.5)
    assert min(stage.levels(CONTRACT)) >= 100
    assert stage.refused == []


def test_the_full_venue_lives_within_its_budget() -> None:
    stage = Stage(default_venue(1, START_MS))
    stage.run(10)
    sent = stage.run(90)
    per_second = Counter((command.time_ms - 1) // 1_000 for command in sent)
    assert max(per_second.values()) <= 300
    assert 40 <= len(sent) / 90 <= 120
    size = sum(len(msgspec.msgpack.encode(command)) for command in sent)
    # A gigabyte a day is 11,574 bytes a second.
    assert size / 90 < 11_574
    traded = {event.symbol for event in stage.events if isinstance(event, Traded)}
    assert traded == set(stage.engine.books)
    assert stage.refused == []
    stage.engine.risk.check()
    for book in stage.engine.books.values():
        book.check()


def test_even_a_panic_of_all_prices_stays_within_the_budget() -> None:
    stage = Stage(default_venue(1, START_MS))
    stage.run(60)
    for asset, price_e8 in standing_prints(stage.engine).items():
        stage.send(SetIndexPrice(base=asset, quote="USDT", price_e8=price_e8 * 88 // 100))
    sent = stage.run(20)
    per_second = Counter((command.time_ms - 1) // 1_000 for command in sent)
    assert max(per_second.values()) <= 300
    assert COMMANDS_PER_S_MAX < 300
    off = stage.mid_e8(PAIR) / standing_prints(stage.engine)["BTC"] - 1
    assert abs(off) < 1e-4
    stage.run(40)
    assert min(stage.levels(PAIR)) >= 95
    assert stage.refused == []
    stage.engine.risk.check()


def test_everybody_takes_part() -> None:
    stage = Stage(small_venue())
    stage.run(300)
    makers_and_takers = set()
    for event in stage.log:
        if isinstance(event, PlaceOrder):
            label = stage.engine.risk.accounts[event.account_id].label
            makers_and_takers.add(label.split(":")[0])
    assert makers_and_takers >= {"maker", "depth", "noise", "crowd", "momentum"}


def test_without_agents_there_are_prices_alone() -> None:
    venue = small_venue()
    stage = Stage(venue, market(venue, venue.start_ms, agents=False))
    sent = stage.run(30)
    assert {type(command) for command in sent} == {FeedPrices}
    assert stage.engine.risk.marks[CONTRACT].mark_e8 is not None


def test_fixed_prices_stay_where_they_are_put() -> None:
    stage = Stage(small_venue("fixed"))
    stage.run(20)
    stage.send(SetIndexPrice(base="BTC", quote="USDT", price_e8=60_000 * E8))
    stage.run(30)
    assert standing_prints(stage.engine)["BTC"] == 60_000 * E8
    assert sum(isinstance(command, FeedPrices) for command in stage.log) == 1
    assert abs(stage.mid_e8(PAIR) / (60_000 * E8) - 1) < 1e-4


def minute_tape(tmp_path: Path) -> dict[str, Tape]:
    """Ten minutes; the fourth jumps by 2 %."""
    prices = [40_000, 40_010, 39_990, 40_800, 40_790, 40_805, 40_820, 40_800, 40_780, 40_790]
    rows = [
        f"{START_MS // 60_000 * 60_000 + at * 60_000},{p},{p + 5},{p - 5},{p + 2},100000"
        for at, p in enumerate(prices)
    ]
    path = tmp_path / "BTC-1m.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return open_tapes(str(path), ["BTC"])


def jumpy_tape(tmp_path: Path, minutes: int = 180) -> dict[str, Tape]:
    """Three hours that fall by a tenth and rise again, with a jump every eleven minutes."""
    rows = []
    price = 42_000
    for at in range(minutes):
        moved = (37 * at * at) % 101 - 50 + (-25 if at < minutes // 2 else 25)
        moved += (600 if at % 22 else -600) if at % 11 == 0 else 0
        closed = price + moved
        high, low = max(price, closed) + at % 13, min(price, closed) - at % 7
        time_ms = START_MS // 60_000 * 60_000 + at * 60_000
        rows.append(f"{time_ms},{price},{high},{low},{closed},100000")
        price = closed
    path = tmp_path / "BTC-jumpy.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return open_tapes(str(path), ["BTC"])


def on_tape(tapes: dict[str, Tape], step_ms: int) -> Stage:
    venue = default_venue(1, tapes["BTC"].first_ms, symbols=[PAIR, CONTRACT], prices="tape")
    return Stage(venue, market(venue, venue.start_ms, tapes=tapes, agent_step_ms=step_ms))


def label_of(stage: Stage, account_id: int) -> str:
    return stage.engine.risk.accounts[account_id].label.split(":")[0]


@pytest.mark.parametrize("step_ms", [15_000, 60_000])
def test_on_a_jumpy_tape_makers_stay_even_and_apart(tmp_path: Path, step_ms: int) -> None:
    stage = on_tape(jumpy_tape(tmp_path), step_ms)
    opened = len(stage.run(16))
    held = noise_cash(stage)
    stage.run(10_600)
    sides = Counter(
        (event.symbol, event.trade_id)
        for event in stage.events
        if isinstance(event, Filled) and label_of(stage, event.account_id) in ("maker", "depth")
    )
    assert len(sides) > 200
    assert max(sides.values()) == 1  # No trade has two makers.
    front, ladder = (
        stage.engine.risk.accounts[stage.engine.risk.labels[f"{name}:{CONTRACT}"]].lots(CONTRACT)
        for name in ("maker", "depth")
    )
    # 250 near lines of 9,000 lean with all they can: 2.25 million at 40,000 are 56 BTC.
    assert abs(front + ladder) < 56_000
    assert abs(front - ladder) < 20_000
    assert len(stage.refused) * 1_000 <= len(stage.log) - opened
    refills = [c for c in stage.log[opened:] if isinstance(c, Deposit)]
    assert {label_of(stage, c.account_id) for c in refills} <= {"gambler", "momentum", "crowd"}
    # Who trades by chance wins nothing by it: coins are worth what they were, cash as much.
    assert -0.03 < noise_cash(stage) / held - 1 < 0.005
    stage.engine.risk.check()


def noise_cash(stage: Stage) -> float:
    """What noise traders have, all their coins at one price, so that only trading changes it."""
    total = 0.0
    for number in (1, 2, 3):
        account = stage.engine.risk.accounts[stage.engine.risk.labels[f"noise:{number}"]]
        total += sum(
            pocket.minor * (40_000 if asset == "BTC" else 1)
            for (_, asset), pocket in account.pockets.items()
        )
    return total


def test_a_minute_of_calm_tape_takes_few_commands(tmp_path: Path) -> None:
    start_ms = START_MS // 60_000 * 60_000
    rows = []
    for at in range(90):  # Bars of ten USDT, as in a quiet hour.
        price = 40_000 + (at * 7) % 23
        high, low, closed = price + 6, price - 4, 40_000 + ((at + 1) * 7) % 23
        high, low = max(high, closed), min(low, closed)
        rows.append(f"{start_ms + at * 60_000},{price},{high},{low},{closed},100000")
    path = tmp_path / "BTC-calm.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    stage = on_tape(open_tapes(str(path), ["BTC"]), 60_000)
    stage.run(30)  # The contract waits for its first mark, and the next print.
    assert min(*stage.levels(PAIR), *stage.levels(CONTRACT)) >= 100
    stage.run(600)
    sent = [c for c in stage.run(3_600) if not isinstance(c, Tick)]
    assert len(sent) <= 25 * 60
    assert stage.refused == []


def test_a_restart_on_a_tape_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    tapes = jumpy_tape(tmp_path)
    whole = on_tape(tapes, 15_000)
    whole.run(2_345)
    venue = whole.engine.venue
    engine = Engine(venue)
    for command in whole.journal:
        engine.apply(command)
    again = Stage(
        venue, market(venue, engine.time_ms, tapes=jumpy_tape(tmp_path), agent_step_ms=15_000)
    )
    again.engine = engine
    assert again.run(1_500) == whole.run(1_500)


def test_the_book_follows_the_tape_at_each_of_its_moments(tmp_path: Path) -> None:
    tapes = minute_tape(tmp_path)
    venue = default_venue(1, tapes["BTC"].first_ms, symbols=[PAIR, CONTRACT], prices="tape")
    stage = Stage(venue, market(venue, venue.start_ms, tapes=tapes, agent_step_ms=15_000))
    tick_e8 = stage.engine.instruments[PAIR].tick_e8
    seen = 0

    def look() -> None:
        nonlocal seen
        now_ms = stage.engine.time_ms
        printed = [c for c in stage.log[-400:] if isinstance(c, FeedPrices)]
        if now_ms > venue.start_ms + 60_000 and printed and printed[-1].time_ms == now_ms:
            seen += 1
            price_e8 = tapes["BTC"].price_at(now_ms)
            assert price_e8 is not None
            # Two ticks of spread, and what the followers of this very step have taken.
            assert abs(stage.mid_e8(PAIR) - price_e8) <= max(2 * tick_e8, price_e8 // 5_000)

    stage.run(580, look)
    assert seen >= 30  # Four a minute.
    stage.engine.risk.check()


def test_a_tape_opens_at_its_own_price_and_so_does_its_past(tmp_path: Path) -> None:
    tapes = minute_tape(tmp_path)
    venue = default_venue(1, tapes["BTC"].first_ms, prices="tape")
    assert opening_prices(venue, tapes)["BTC"] == 40_000 * E8
    assert opening_prices(venue, tapes)["ETH"] == 2_500 * E8
    past = prehistory(venue, tapes)
    day_ms = 86_400_000
    assert past.candles(PAIR, day_ms, 0, past.end_ms)[-1].close == 4_000_000
    # Started later, it opens where the tape stands by then.
    later = default_venue(1, tapes["BTC"].first_ms + 185_000, prices="tape")
    assert opening_prices(later, tapes)["BTC"] == 40_800 * E8


def test_longer_steps_send_fewer_commands() -> None:
    venue = small_venue()
    counts = []
    for step_ms in (1_000, 15_000):
        stage = Stage(venue, market(venue, venue.start_ms, agent_step_ms=step_ms))
        stage.run(60)
        counts.append(len([c for c in stage.run(240) if not isinstance(c, Tick)]))
    assert counts[1] * 3 < counts[0]


def test_a_venue_of_one_pair_lives_too() -> None:
    venue = default_venue(1, START_MS, symbols=["GALA-USDT"])
    stage = Stage(venue)
    stage.run(60)
    assert min(stage.levels("GALA-USDT")) >= 95
    assert stage.refused == []
