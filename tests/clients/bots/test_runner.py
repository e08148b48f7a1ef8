"""Tests of the runner, against a small exchange."""

import argparse
import asyncio
import json
import signal
import sys
from decimal import Decimal

import pytest

from clients.api import Papertape
from clients.bots import market_maker, runner
from clients.bots.runner import BOTS, Runner, Tally, add_arguments, main, read_settings
from clients.bots.strategy import Amend, Beat, Cancel, Heard, Place, Refused, Wish
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange, eventually
from tests.clients.wire_samples import WITH_INVERSE


class Script:
    """A strategy that has its wishes written down: one list for each thing it hears."""

    channels = ("orders",)

    def __init__(self, *wishes: list[Wish]) -> None:
        self.wishes = list(wishes)
        self.heard: list[Heard] = []
        self.refusals: list[Refused] = []

    def hear(self, heard: Heard) -> list[Wish]:
        self.heard.append(heard)
        return self.wishes.pop(0) if self.wishes else []

    def refused(self, refusal: Refused) -> None:
        self.refusals.append(refusal)


def place(name: str, price: str | None = None, symbol: str = "BTC-USDT") -> Place:
    wanted = Decimal(price) if price else None
    return Place(client_id=name, symbol=symbol, side="buy", qty=Decimal("0.1"), price=wanted)


async def run(exchange: FakeExchange, script: Script, until, prefix: str = "me-") -> Tally:
    """Run the script until a condition holds, then stop it as Ctrl-C does."""
    async with Papertape(exchange.url, KEY, SECRET) as pt:
        work = Runner(pt, script, prefix, Tally("script", "BTC-USDT"))
        running = asyncio.create_task(work.run(None))
        await eventually(lambda: until() or running.done())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return work.tally


async def test_wishes_become_orders_amendments_and_cancels(exchange: FakeExchange) -> None:
    script = Script(
        [place("me-1", "100"), place("me-2", "101")],
        [Amend("me-1", Decimal(99)), Cancel("me-2")],
    )
    tally = await run(exchange, script, lambda: "order.cancel" in exchange.ops())
    assert exchange.orders[1].price == "99"
    assert [o.status for o in exchange.orders.values()] == ["cancelled", "cancelled"]
    assert (tally.orders, tally.fills) == (2, 0)


async def test_when_it_stops_only_its_own_orders_are_cancelled(exchange: FakeExchange) -> None:
    script = Script([place("me-1", "100"), place("somebody-1", "100")])
    await run(exchange, script, lambda: len(exchange.orders) == 2)
    assert {o.client_id: o.status for o in exchange.orders.values()} == {
        "me-1": "cancelled",
        "somebody-1": "new",
    }


async def test_fills_are_counted_with_their_fees(exchange: FakeExchange) -> None:
    script = Script([place("me-1"), place("me-2"), place("you-1")])
    tally = await run(exchange, script, lambda: len(script.heard) >= 7)
    assert tally.fills == 2
    assert tally.volume == "10000.2"  # 2 x 0.1 x 50001
    assert tally.fees == {"USDT": "0.02"}
    assert tally.equity_before == tally.equity_after == "200000"


async def test_a_refusal_is_told_and_counted(exchange: FakeExchange) -> None:
    wish = place("me-1", symbol="NO-SUCH")
    script = Script([wish])
    tally = await run(exchange, script, lambda: script.refusals)
    assert tally.refused == {"UNKNOWN_SYMBOL": 1}
    assert script.refusals == [Refused(wish, "UNKNOWN_SYMBOL", "UNKNOWN_SYMBOL it is")]


async def test_beats_come_whatever_the_market_does(
    exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BEAT_S", 0.001)
    script = Script()
    await run(exchange, script, lambda: Beat(3) in script.heard)
    beats = [heard for heard in script.heard if isinstance(heard, Beat)]
    assert beats[:3] == [Beat(1), Beat(2), Beat(3)]


async def test_it_goes_on_after_a_break(exchange: FakeExchange) -> None:
    exchange.break_before_reply.append("order.place")
    script = Script([place("me-1", "100")], [place("me-2", "100")])
    tally = await run(exchange, script, lambda: len(exchange.orders) == 2)
    assert tally.connections == 2


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


async def test_the_command_opens_an_account_trades_and_sums_up(
    exchange: FakeExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    args = arguments("noise", "--url", exchange.url, "--seconds", "0.2", "--json")
    code = await asyncio.to_thread(main_without_signals, args)
    assert code == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["bot"] == "noise"
    assert f"opened account 100 with key {KEY}" in printed.err


def main_without_signals(args: argparse.Namespace) -> int:
    """`main` in a thread, which may not listen for signals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        return main(args)


async def test_sigterm_stops_it_and_the_summary_is_printed(exchange: FakeExchange) -> None:
    words = ["market-maker", "--url", exchange.url]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", STARTER, *words],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    channel = "bbo.BTC-USDT-PERP"
    await eventually(lambda: any(channel in line.channels for line in exchange.lines))
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (process.returncode, err.decode().count("Traceback")) == (0, 0)
    assert out.startswith(b"market-maker on BTC-USDT-PERP: 0 orders, 0 fills")


STARTER = """
import argparse, sys
from clients.bots.runner import add_arguments, main
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(main(parser.parse_args(sys.argv[1:])))
"""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["noise", "--url", "http://127.0.0.1:1"], 1, "UNREACHABLE"),
        (["noise", "--set", "nonsense=1"], 2, "the settings are notional=200"),
        (["noise", "--set", "seed=x"], 2, "Expected `int`"),
        (["noise", "--url", "nowhere"], 2, "http"),
    ],
)
def test_what_cannot_be_done_is_said(words, code, said, capsys) -> None:
    assert main(arguments(*words)) == code
    assert said in capsys.readouterr().err


async def test_an_unknown_symbol_names_the_known_ones(exchange: FakeExchange, capsys) -> None:
    args = arguments("basis", "--url", exchange.url, "--symbol", "ABC-USDT")
    assert await asyncio.to_thread(main_without_signals, args) == 2
    assert "there is no ABC-USDT here; there are BTC-USDT, BTC-USDT-PERP" in capsys.readouterr().err


async def test_what_bots_cannot_reckon_with_is_said_at_once(exchange: FakeExchange, capsys) -> None:
    """Instead of a run of refused orders."""
    args = arguments("market-maker", "--url", exchange.url, "--symbol", "BTC-USD-PERP")
    exchange.history["/instruments"] = WITH_INVERSE
    assert await asyncio.to_thread(main_without_signals, args) == 2
    assert "BTC-USD-PERP is counted in contracts" in capsys.readouterr().err
    exchange.settings["position_mode"] = "hedge"
    args = arguments("market-maker", "--url", exchange.url)
    assert await asyncio.to_thread(main_without_signals, args) == 2
    assert "this account is in hedge mode" in capsys.readouterr().err


def test_settings_are_read_as_what_they_are() -> None:
    settings = read_settings(market_maker.Settings, ["spread_bps=2.5", "leverage=3"])
    assert (settings.spread_bps, settings.leverage) == (Decimal("2.5"), 3)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_run_of_no_time_is_refused(seconds: str) -> None:
    with pytest.raises(SystemExit):
        arguments("noise", "--seconds", seconds)


def test_every_bot_says_what_it_does() -> None:
    assert set(BOTS) == {"market-maker", "momentum", "basis", "noise"}
    assert all(bot.about for bot in BOTS.values())
