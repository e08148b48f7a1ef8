"""One-line trading, against a running exchange."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from exchange.cli.client import Identity, keep_identity
from exchange.cli.commands import main
from exchange.cli.trade import exits_text, short_level, total
from exchange.wire import ListLegSay, OrderListSay
from tests.exchange.gateway.rig import Rig, Trader, running

PERP = "BTC-USDT-PERP"
USD_PERP = "BTC-USD-PERP"


class Desk:
    """Somebody at a terminal, and the other side of the market."""

    def __init__(self, rig: Rig, data: Path, bob: Trader, capsys: Any) -> None:
        self.rig = rig
        self.bob = bob
        self._data = data
        self._capsys = capsys
        self.err = ""

    async def type(self, *words: str, code: int = 0) -> str:
        """Run a command; what it printed."""
        arguments = [*words, "--data", str(self._data)]
        assert await asyncio.to_thread(main, arguments) == code, self._capsys.readouterr()
        out, self.err = self._capsys.readouterr()
        return str(out)

    async def type_json(self, *words: str) -> Any:
        """Run a command with --json; the one object it printed."""
        out = await self.type(*words, "--json")
        assert out.count("\n") == 1
        return json.loads(out)


@pytest_asyncio.fixture
async def desk(tmp_path, capsys, monkeypatch) -> AsyncIterator[Desk]:
    for name in ("URL", "KEY", "SECRET"):
        monkeypatch.delenv(f"PAPERTAPE_{name}", raising=False)
    async with running(tmp_path, symbols=("BTC-USDT", PERP, USD_PERP)) as rig:
        await rig.set_index("BTC-USDT", "50000")
        alice, bob = await rig.open_account(), await rig.open_account()
        keep_identity(tmp_path, Identity(rig.url, alice.key, alice.secret))
        yield Desk(rig, tmp_path, bob, capsys)


async def test_a_perpetual_is_bought_in_one_line(desk: Desk) -> None:
    await desk.bob.order("BTC-USDT-PERP", "sell", "1", price="50000")
    out = await desk.type("buy", "BTC-USDT-PERP", "0.1", "--leverage", "10")
    assert "BUY 0.100 BTC-USDT-PERP: order" in out
    assert "filled, 0.100 at 50000 on average, fee 2.5 USDT" in out
    assert "long 10x cross" in out
    shown = await desk.type("positions")
    assert "BTC-USDT-PERP" in shown
    assert "liquidation at" in shown.splitlines()[0]


async def test_exits_come_with_the_order(desk: Desk) -> None:
    await desk.bob.order("BTC-USDT-PERP", "sell", "1", price="50000")
    words = ("buy", "BTC-USDT-PERP", "0.1", "--take-profit", "55000", "--stop-loss", "48000")
    assert "exits placed: list 1" in await desk.type(*words)
    shown = await desk.type("orders")
    gain, loss = sorted(line.split() for line in shown.splitlines() if "BTC-USDT-PERP" in line)
    assert [gain[at] for at in (2, 3, 6, -2)] == ["sell", "take_profit", "55000.0", "1"]
    assert [loss[at] for at in (2, 3, 6, -2)] == ["sell", "stop", "48000.0", "1"]
    words = ("buy", "BTC-USDT-PERP", "0.1", "--price", "49000", "--stop-loss", "48000")
    assert "exits wait for its fills: list 2" in await desk.type(*words)


@pytest.mark.parametrize(
    ("reason", "stands", "said"),
    [
        ("NOTIONAL_TOO_SMALL", "rejected", "exits rejected: price times quantity is below"),
        (None, "ended", "exits ended: list 3"),
    ],
)
def test_exits_that_are_not_there_are_not_promised(
    reason: str | None, stands: str, said: str
) -> None:
    legs = [ListLegSay(7, "", "filled"), ListLegSay(None, "", stands)]
    found = OrderListSay(3, "oto", "BTC-USDT", "rejected", "", reason, 0, legs, 0, bracket=True)
    assert exits_text(found).startswith(said)


async def test_it_is_all_there_for_machines_too(desk: Desk) -> None:
    await desk.bob.order("BTC-USDT-PERP", "sell", "1", price="50000")
    placed = await desk.type_json("buy", "BTC-USDT-PERP", "0.1")
    assert placed["order"]["status"] == "filled"
    assert placed["order"]["client_id"].startswith("cli-")
    (position,) = (await desk.type_json("positions"))["positions"]
    assert position["qty"] == "0.100"
    rest = await desk.type_json("sell", "BTC-USDT-PERP", "0.1", "--price", "51000", "--reduce-only")
    assert (rest["order"]["status"], rest["order"]["reduce_only"]) == ("new", True)
    (order,) = (await desk.type_json("orders"))["orders"]
    assert order["order_id"] == rest["order"]["order_id"]
    assert (await desk.type_json("balances"))["balances"]


async def test_isolated_margin_is_set_on_the_way_and_again_without_a_word(desk: Desk) -> None:
    await desk.bob.order("BTC-USDT-PERP", "sell", "1", price="50000")
    words = ("buy", "BTC-USDT-PERP", "0.1", "--margin", "isolated", "--leverage", "20")
    assert "long 20x isolated" in await desk.type(*words)
    assert "long 20x isolated" in await desk.type(*words)


async def test_what_is_missing_on_spot_margin_is_borrowed(desk: Desk) -> None:
    await desk.bob.ask("POST", "/v1/faucet", {"wallet": "spot", "asset": "BTC", "amount": "5"})
    await desk.bob.order("BTC-USDT", "sell", "1", price="50000")
    fund = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "30000"}
    key = json.loads((desk._data / "demo.json").read_text())
    alice = Trader(desk.rig, 0, key["key"], key["secret"])
    assert (await alice.ask("POST", "/v1/transfers", fund)).status == 200
    words = ("buy", "BTC-USDT", "1", "--margin", "cross", "--leverage", "5", "--borrow")
    assert "filled" in await desk.type(*words)
    shown = await desk.type("balances")
    # 50,000 less the 30,000 that were there.
    assert any("margin" in line and "20000" in line for line in shown.splitlines())
    assert "margin: level" in shown


async def test_a_preview_sends_nothing(desk: Desk) -> None:
    out = await desk.type("buy", "BTC-USDT-PERP", "0.1", "--price", "49000", "--preview")
    assert "fee" in out
    assert await desk.type("orders") == "no open orders\n"
    words = ("buy", "BTC-USDT-PERP", "100", "--price", "49000", "--preview")
    assert await desk.type(*words, code=1) == ""
    assert "INSUFFICIENT_MARGIN" in desk.err


async def test_an_order_just_after_the_start_waits_for_the_first_mark(
    tmp_path, capsys, monkeypatch
) -> None:
    pauses = []
    async with running(tmp_path) as rig:
        alice, bob = await rig.open_account(), await rig.open_account()
        keep_identity(tmp_path, Identity(rig.url, alice.key, alice.secret))
        desk = Desk(rig, tmp_path, bob, capsys)
        loop = asyncio.get_running_loop()

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            asyncio.run_coroutine_threadsafe(rig.set_index("BTC-USDT", "50000"), loop).result()

        monkeypatch.setattr("exchange.cli.trade.time.sleep", pause)
        out = await desk.type("buy", "BTC-USDT-PERP", "0.1", "--price", "49000")
        assert "new" in out
    assert len(pauses) == 1


async def test_p2_legs_are_traded_and_shown_apart(desk: Desk) -> None:
    await desk.bob.order(PERP, "sell", "1", price="50000")
    await desk.bob.order(PERP, "buy", "1", price="49990")
    assert "long leg 10x cross" in await desk.type("buy", PERP, "0.2", "--side", "long")
    shown = await desk.type("sell", PERP, "0.1", "--side", "short")
    assert "short leg 10x cross" in shown
    held = (await desk.type_json("positions"))["positions"]
    assert [(each["position_side"], each["qty"]) for each in held] == [
        ("long", "0.200"),
        ("short", "0.100"),
    ]
    await desk.type("sell", PERP, "0.2", "--side", "long", "--price", "51000")
    assert "long" in (await desk.type("orders")).splitlines()[-1].split()[-1]
    assert await desk.type("buy", PERP, "0.1", code=1) == ""
    assert "set position_side to long or short" in desk.err


async def test_an_inverse_contract_is_bought_once_its_coins_are_there(desk: Desk) -> None:
    await desk.bob.ask("POST", "/v1/faucet", {"wallet": "perp:BTC", "asset": "BTC", "amount": "1"})
    await desk.bob.order(USD_PERP, "sell", "100", price="50000")
    words = ("buy", USD_PERP, "10", "--leverage", "5")
    assert await desk.type(*words, code=1) == ""
    assert "papertape faucet perp:BTC BTC 1" in desk.err
    assert await desk.type("faucet", "perp:BTC", "BTC", "1") == "perp:BTC holds 1 BTC\n"
    preview = await desk.type(*words, "--preview")
    # 10 x 100 USD at 50,000 are 0.02 BTC; a fifth is 0.004, and the fee 0.05 %: 0.00001.
    assert "position after    long 10 from 50000\n" in preview
    assert "fee               0.00001 BTC\n" in preview
    assert "filled, 10 at 50000 on average, fee 0.00001 BTC" in await desk.type(*words)
    shown = await desk.type("positions")
    assert "long 5x cross" in shown
    assert "0 BTC (+0.00%)" in shown
    more = await desk.type_json("faucet", "perp:BTC", "BTC", "2")
    assert more["balances"][0]["total"] == "2.99999"


async def test_p16_orders_that_wait_are_listed_with_what_wakes_them(desk: Desk) -> None:
    key = json.loads((desk._data / "demo.json").read_text())
    alice = Trader(desk.rig, 0, key["key"], key["secret"])
    stop = {"symbol": PERP, "side": "buy", "qty": "0.1", "trigger_price": "51000"}
    trailing = {"symbol": PERP, "side": "sell", "qty": "0.1", "trailing_bps": 150}
    for fields in (
        {**stop, "type": "stop", "trigger": "mark"},
        {**trailing, "type": "trailing_stop", "trigger": "mark", "activation_price": "52000"},
    ):
        answer = await alice.ask("POST", "/v1/orders", fields)
        assert answer.status == 201, answer.body
    _, newest, oldest = (await desk.type("orders")).splitlines()
    assert "1.5 % from 52000.0" in newest
    assert "51000.0" in oldest


async def test_empty_hands_are_told(desk: Desk) -> None:
    assert await desk.type("positions") == "no open positions\n"
    assert "USDT" in await desk.type("balances")


async def test_a_refusal_is_one_line_on_stderr(desk: Desk) -> None:
    assert await desk.type("buy", "BTC-MOON", "1", code=1) == ""
    assert desk.err.startswith("papertape: there is no instrument of that name")
    assert desk.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("buy", "BTC-USDT-PERP", "1", "--borrow"),
        ("buy", "BTC-USDT", "1", "--leverage", "3"),
        ("buy", "BTC-USDT", "1", "--side", "long"),
    ],
)
async def test_options_of_the_other_market_are_wrong_use(
    desk: Desk, words: tuple[str, ...]
) -> None:
    assert await desk.type(*words, code=2) == ""
    assert "papertape: " in desk.err


def test_fees_are_added_exactly() -> None:
    assert total(["0.1", "0.2", "3"]) == "3.3"


@pytest.mark.parametrize(
    ("level", "shown"),
    [("2213.739294022556", "2213.7392"), ("1.09999", "1.0999"), ("999", "999")],
)
def test_a_margin_level_is_cut_to_what_a_person_reads(level: str, shown: str) -> None:
    """Never rounded up: a level must not look better than it is."""
    assert short_level(level) == shown
