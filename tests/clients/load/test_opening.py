"""Tests of the opening: markets, accounts, money and connections before the first request."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from clients.errors import PapertapeError
from clients.load import opening
from clients.load.driver import WallTimer
from clients.load.native_line import NativeLine
from clients.load.plan import NS_PER_S, Plan
from clients.load.record import Record
from clients.load.wording import Market
from clients.rest import Rest
from clients.signing import Signer
from exchange.wire import InstrumentsSay, MarkSay, TickerSay
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange
from tests.clients.load.worlds import MARKETS, shape
from tests.clients.wire_samples import NOON, instrument, open_order


def mark(symbol: str, **changes: Any) -> MarkSay:
    nothing: dict[str, Any] = dict.fromkeys(
        ("index", "mark", "predicted_rate", "next_funding", "open_interest")
    )
    return MarkSay(**{"symbol": symbol, **nothing, "time": NOON, **changes})


def ticker(symbol: str, last: str | None) -> TickerSay:
    none: dict[str, Any] = dict.fromkeys(("open", "high", "low", "change", "change_percent"))
    volumes: dict[str, Any] = {"volume": "0", "quote_volume": "0", "trades": 0}
    return TickerSay(symbol, last, **none, **volumes, bid=None, ask=None, time=NOON)


def record() -> Record:
    return Record(Plan(shape(), (), 0, NS_PER_S))


async def surveyed(exchange: FakeExchange, *symbols: str) -> dict[str, Market]:
    rest = Rest(exchange.url)
    try:
        return await opening.survey(rest, symbols)
    finally:
        await rest.close()


async def test_orders_are_placed_around_the_mark_else_the_index_else_the_last_trade(
    exchange: FakeExchange,
) -> None:
    for said, told in (
        (mark("BTC-USDT", mark="101", index="102"), 101),
        (mark("BTC-USDT", index="102"), 102),
        (mark("BTC-USDT"), 103),
    ):
        exchange.history["/mark/BTC-USDT"] = said
        exchange.history["/ticker/BTC-USDT"] = ticker("BTC-USDT", "103")
        markets = await surveyed(exchange, "BTC-USDT")
        assert markets["BTC-USDT"].reference == told


async def test_a_market_without_a_price_cannot_be_loaded(exchange: FakeExchange) -> None:
    exchange.history["/mark/BTC-USDT"] = mark("BTC-USDT")
    exchange.history["/ticker/BTC-USDT"] = ticker("BTC-USDT", None)
    with pytest.raises(ValueError, match="no price yet"):
        await surveyed(exchange, "BTC-USDT")


async def test_an_unknown_symbol_is_told_with_those_there_are(exchange: FakeExchange) -> None:
    with pytest.raises(ValueError, match="no GOLD-USDT here; there are BTC-USDT, BTC-USDT-PERP"):
        await surveyed(exchange, "GOLD-USDT")


async def test_a_market_that_is_shut_cannot_be_loaded(exchange: FakeExchange) -> None:
    halted = instrument("BTC-USDT", state="halt")
    exchange.history["/instruments"] = InstrumentsSay("paper", [halted], [])
    with pytest.raises(ValueError, match="halt"):
        await surveyed(exchange, "BTC-USDT")


async def test_accounts_are_opened_and_told(exchange: FakeExchange) -> None:
    rest = Rest(exchange.url)
    told: list[int] = []
    signers = await opening.open_accounts(rest, 3, told.append)
    await rest.close()
    assert [signer.key for signer in signers] == [KEY] * 3
    assert told == [1, 2, 3]


def test_each_account_gets_what_its_connections_may_spend() -> None:
    # The smallest size of both is worth 10 USDT at least: 0.0002 BTC; of the contract 0.001,
    # its lot, 50 USDT. A thousand of each, for two who share the account.
    stakes = opening.stakes_of(MARKETS.values(), sharers=2)
    assert {place: Decimal(amount) for place, amount in stakes.items()} == {
        ("spot", "BTC"): Decimal("0.4"),
        ("spot", "USDT"): 20_000,
        ("perp", "USDT"): 100_000,
    }


def test_stakes_of_several_markets_add_up() -> None:
    ether = Market.of(instrument("ETH-USDT", tick="0.01", lot="0.0001"), Decimal(2_500))
    stakes = opening.stakes_of([MARKETS["BTC-USDT"], ether], sharers=1)
    assert Decimal(stakes["spot", "USDT"]) == 10_000 + 10_000
    assert Decimal(stakes["spot", "ETH"]) == 4


async def test_a_line_is_logged_in_and_paid(exchange: FakeExchange) -> None:
    url = exchange.url.replace("http", "ws") + "/v1/ws"
    line = await opening.open_line(url, Signer(KEY, SECRET), record(), WallTimer())
    await opening.fund(line, {("spot", "BTC"): "0.4", ("perp", "USDT"): "5"})
    assert exchange.balances["spot", "BTC"] == Decimal("0.4")
    assert exchange.balances["perp", "USDT"] == 100_005
    await line.close()


async def test_a_line_that_cannot_log_in_is_not_left_open(exchange: FakeExchange) -> None:
    url = exchange.url.replace("http", "ws") + "/v1/ws"
    with pytest.raises(PapertapeError, match="BAD_SIGNATURE"):
        await opening.open_line(url, Signer(KEY, "wrong"), record(), WallTimer())
    await exchange.stop()  # Would wait for a connection that is still there.


async def test_a_slow_reader_hears_every_symbol_and_its_account(exchange: FakeExchange) -> None:
    url = exchange.url.replace("http", "ws") + "/v1/ws"
    heard = ["BTC-USDT", "BTC-USDT-PERP"], record(), WallTimer()
    reader = await opening.open_slow_reader(url, Signer(KEY, SECRET), *heard)
    (line,) = exchange.lines
    assert {"book.BTC-USDT", "trades.BTC-USDT-PERP", "orders", "fills"} <= set(line.channels)
    await reader.close()


class ScriptedLine(NativeLine):
    """A line whose answers are written down by op: a result, or errors to raise before it."""

    def __init__(self, **answers: list[Any]) -> None:
        super().__init__(record(), WallTimer())
        self._answers = answers
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, op: str, **fields: Any) -> bytes:
        self.heard.append((op, fields))
        answer = self._answers[op.replace(".", "_")].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.json.encode(answer)


def limited(retry_ms: int) -> PapertapeError:
    return PapertapeError("RATE_LIMITED", "too often", {"retry_ms": retry_ms})


async def test_who_asks_too_often_waits_as_told_and_asks_again() -> None:
    line = ScriptedLine(order_cancel_all=[limited(1), limited(2), []])
    await opening.cancel_all(line)
    assert [op for op, _ in line.heard] == ["order.cancel_all"] * 3


@pytest.mark.parametrize(
    "error", [PapertapeError("RATE_LIMITED", "no time named"), PapertapeError("BUSY", "no")]
)
async def test_other_refusals_are_not_asked_again(error: PapertapeError) -> None:
    line = ScriptedLine(order_cancel_all=[error])
    with pytest.raises(PapertapeError) as raised:
        await opening.cancel_all(line)
    assert raised.value is error


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PATIENCE_S", 0.01)
    line = ScriptedLine(order_cancel_all=[limited(60_000)])
    with pytest.raises(PapertapeError, match="limits held this up"):
        await opening.cancel_all(line)


async def test_on_an_account_of_others_only_the_runs_own_orders_are_cancelled() -> None:
    orders = [
        open_order(number, "BTC-USDT", "buy", "1", "1", client_id=client_id)
        for number, client_id in enumerate(("load-abc-0-1", "mine", "load-abcd-0-1", ""), start=1)
    ]
    line = ScriptedLine(order_list=[orders], order_cancel=[orders[0]])
    await opening.cancel_own(line, "load-abc")
    assert line.heard[1:] == [("order.cancel", {"order_id": 1})]
