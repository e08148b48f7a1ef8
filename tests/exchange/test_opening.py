"""Tests of a market's opening."""

from pathlib import Path

import msgspec
import pytest

from exchange.commands import Deposit, FeedPrices, OpenAccount, Tick
from exchange.market.market import opening_prices
from exchange.market.prices import FOR_EVER_MS
from exchange.opening import OpeningPrices, is_trading
from exchange.recovery import recover
from matching.types import Side
from tests.exchange.tapes import START_MS, Tape, order, venue


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    tape = Tape(tmp_path)
    tape.close()
    return Tape(tmp_path)


def opened(tape: Tape) -> None:
    source = OpeningPrices(tape.engine.venue, opening_prices(tape.engine.venue))
    tape.do(*source.commands(START_MS, tape.engine))
    tape.do(Tick(), ms=1_000)


def test_the_opening_prices_are_printed_once_at_the_first_moment(tape: Tape) -> None:
    source = OpeningPrices(tape.engine.venue, {"BTC": 5_000_000_000_000})
    assert source.next_due_ms() == START_MS
    (command,) = source.commands(START_MS, tape.engine)
    # Fixed prices stand until somebody changes them.
    assert command == FeedPrices(
        feed="reference", prices_e8={"BTC": 5_000_000_000_000}, stale_ms=FOR_EVER_MS
    )
    assert source.next_due_ms() is None
    tape.close()


def test_prices_that_walk_do_not_stand_for_ever(tape: Tape) -> None:
    walking = msgspec.structs.replace(venue(), prices="walk")
    (command,) = OpeningPrices(walking, {"BTC": 1}).commands(START_MS, tape.engine)
    assert isinstance(command, FeedPrices)
    assert command.stale_ms == 10_000
    tape.close()


def test_trading_begins_with_the_first_marks(tape: Tape) -> None:
    assert not is_trading(tape.engine, agents=False)
    opened(tape)
    assert tape.engine.risk.mark_e8("BTC-USDT-PERP") == 50_000 * 10**8
    assert is_trading(tape.engine, agents=False)
    tape.close()


def test_with_agents_it_begins_once_every_book_has_two_sides(tape: Tape) -> None:
    opened(tape)
    assert not is_trading(tape.engine, agents=True)
    tape.do(OpenAccount(), Deposit(account_id=100, wallet="spot", asset="BTC", amount_minor=10**8))
    sides = ((Side.BUY, 49_990), (Side.SELL, 50_010))
    tape.do(*(order(str(price), 100, side) for side, price in sides))
    assert not is_trading(tape.engine, agents=True)
    tape.do(
        *(
            order("1", 10, side, symbol="BTC-USDT-PERP", wallet="perp", price_ticks=price * 10)
            for side, price in sides
        )
    )
    assert is_trading(tape.engine, agents=True)
    tape.close()


def test_a_recovered_market_trades_at_once(tape: Tape) -> None:
    opened(tape)
    tape.close()
    recovered = recover(tape.directory, venue)
    assert is_trading(recovered.engine, agents=False)
    recovered.journal.close()
