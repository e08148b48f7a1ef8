"""Tests of a market's opening."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.clock import wall_ms
from exchange.commands import Deposit, FeedPrices, OpenAccount, Tick
from exchange.config import Config, ConfigError, Market
from exchange.market.market import opening_prices
from exchange.market.prices import FOR_EVER_MS
from exchange.opening import OpeningPrices, first_ms, is_trading, tapes_of
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


def tape_config(folder: Path, name: str, **market: Any) -> Config:
    path = folder / name
    path.write_text(
        "timestamp,open,high,low,close,volume\n"
        f"{START_MS},1.0,2.0,0.5,1.5,10\n{START_MS + 60_000},1.5,2.0,0.5,1.0,10\n"
    )
    return Config(market=Market(prices="tape", tape=str(path), **market))


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("btc-perp-1m-2022-01.csv", "BTC"),
        ("ETHUSDT-1m-2024-01.csv", "ETH"),
        ("linkusdt.csv", "LINK"),
        ("prices.csv", "BTC"),
    ],
)
def test_a_tape_is_of_the_asset_its_name_begins_with(tmp_path: Path, name: str, asset: str) -> None:
    assert list(tapes_of(tape_config(tmp_path, name))) == [asset]


def test_a_venue_begins_when_it_is_told_or_with_its_tape_or_now(tmp_path: Path) -> None:
    given = tape_config(tmp_path, "eth.csv", start_ms=START_MS + 30_000)
    assert first_ms(given, tapes_of(given)) == START_MS + 30_000
    given = tape_config(tmp_path, "eth.csv")
    assert first_ms(given, tapes_of(given)) == START_MS
    before_ms = wall_ms()
    assert before_ms <= first_ms(Config(), tapes_of(Config())) <= wall_ms()


def test_a_tape_that_cannot_be_read_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "eth.csv").write_text("what,is,this\n1,2,3\n")
    given = Config(market=Market(prices="tape", tape=str(tmp_path / "eth.csv")))
    with pytest.raises(ConfigError, match=r"eth\.csv"):
        tapes_of(given)
