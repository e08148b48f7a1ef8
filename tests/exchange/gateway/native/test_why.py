"""Tests of asking why, through the door: every kind, after a restart, and nobody else's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.commands import Deposit, Tick
from exchange.events import (
    Answered,
    Deleveraged,
    FundingCharged,
    InterestCharged,
    LiquidationStarted,
    MarginCalled,
)
from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.native.api import Api
from exchange.gateway.native.asks import WhyAsk
from exchange.gateway.native.why import why
from exchange.history_rows import HistoryRows
from exchange.storage.queries import FRESH_WITHIN_S
from exchange.storage.readers import Readers
from exchange.why.adl import adl_tree
from exchange.wire.why import WhySay
from matching.types import Side
from risk.parameters import HOUR_MS
from tests.exchange.gateway.rig import START_MS, Rig, Trader
from tests.exchange.why.retracing import retrace
from tests.story import units

PERP = "BTC-USDT-PERP"


class File(Readers):
    """A history file that nobody writes to."""

    behind = False

    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """Whether all that happened is in it."""
        return not self.behind


class Ears:
    """Hears what happens, to know what there is to ask about."""

    def __init__(self, rig: Rig) -> None:
        self.events: list[Any] = []
        rig.doors.sequencer.listeners.append(self.on_group)

    def on_group(self, groups: Any) -> None:
        for events in groups:
            self.events += events

    def last_n(self, kind: type[Any], account_id: int) -> int:
        found = [
            each.n for each in self.events if type(each) is kind and each.account_id == account_id
        ]
        assert found, kind
        return int(found[-1])


async def asked(trader: Trader, path: str) -> WhySay:
    """The tree of `kind/id`, every number of it reckoned again."""
    answer = await trader.ask("GET", f"/v1/why/{path}")
    assert answer.status == 200, answer.body
    tree = msgspec.json.decode(answer.body, type=WhySay)
    retrace(tree)
    assert f"{tree.kind}/{tree.id}" == path
    return tree


async def pass_time(rig: Rig, ms: int) -> None:
    """Exchange time goes on, and the engine catches up with it."""
    rig.doors.clock.step(ms)  # type: ignore[attr-defined]
    await rig.do(Tick())
    while rig.doors.engine.pending_work:
        await rig.do(Tick())


async def test_a_fill_carries_by_what_to_ask_and_the_answer_is_its_tree(rig: Rig) -> None:
    maker, taker = await rig.open_account(), await rig.open_account()
    await rig.set_index("BTC-USDT", "50000")
    await maker.order(PERP, "sell", "0.1", price="50000")
    placed = await taker.order(PERP, "buy", "0.1", price="50000")
    (fill,) = placed["fills"]
    tree = await asked(taker, fill["why"])
    assert tree.rule == "S1"
    (listed,) = (await taker.ask("GET", "/v1/fills")).json
    assert listed["why"] == fill["why"]
    assert (await asked(maker, fill["why"])).inputs != tree.inputs  # Its own side.


async def test_a_refusal_carries_its_numbers_as_text_and_by_what_to_ask(rig: Rig) -> None:
    taker = await rig.open_account()
    await rig.set_index("BTC-USDT", "50000")
    fields = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "3", "price": "50000"}
    answer = await taker.ask("POST", "/v1/orders", fields)
    assert answer.code == "INSUFFICIENT_BALANCE"
    details = answer.json["error"]["details"]
    assert (details["need"], details["free"], details["rule"]) == ("150000", "100000", "S11")
    tree = await asked(taker, details["why"])
    assert tree.thresholds[0].filled == "150000 > 100000"


async def test_charges_calls_and_liquidations_are_answered_by_their_numbers(rig: Rig) -> None:
    ears = Ears(rig)
    one, two = await rig.open_account(), await rig.open_account()
    await rig.set_index("BTC-USDT", "50000")
    await rig.do(
        Deposit(account_id=two.account_id, wallet="spot", asset="BTC", amount_minor=units("10"))
    )
    await one.ask("POST", "/v1/transfers", _transfer("spot", "margin", "1000"))
    await one.ask("POST", "/v1/loans", {"wallet": "margin", "asset": "USDT", "amount": "1900"})
    await two.order("BTC-USDT", "sell", "0.05", price="50000")
    await one.order("BTC-USDT", "buy", "0.05", price="50000", margin="cross")
    await two.order(PERP, "sell", "2", price="50000")
    await one.order(PERP, "buy", "2", price="50000", leverage=20)
    await pass_time(rig, 8 * HOUR_MS)
    await rig.set_index("BTC-USDT", "41000")
    await pass_time(rig, 1_000)
    await rig.set_index("BTC-USDT", "30000")
    await pass_time(rig, 1_000)
    for kind, event in (
        ("interest", InterestCharged),
        ("funding", FundingCharged),
        ("call", MarginCalled),
        ("liquidation", LiquidationStarted),
    ):
        tree = await asked(one, f"{kind}/{ears.last_n(event, one.account_id)}")
        assert tree.kind == kind
        if kind == "funding":
            assert [child.kind for child in tree.children] == ["funding_rate"]


def _transfer(source: str, target: str, amount: str) -> dict[str, str]:
    return {"from": source, "to": target, "asset": "USDT", "amount": amount}


async def test_a_deleveraging_is_answered_by_its_number(rig: Rig) -> None:
    trader = await rig.open_account()
    seq = rig.doors.engine.seq + 1
    event = Deleveraged(
        seq, 5, trader.account_id, 77, PERP, PERP, Side.BUY, 100, 475_000, 1, 0, "USDT", 0
    )
    event.lots_before, event.cost_before_minor = -100, -units("4750")
    event.mark_e8, event.equity_e16 = units("47500"), 10**18
    rows = HistoryRows(rig.history, rig.doors.board, lambda _: True, START_MS)
    rows.on_group([[event, Answered(seq, 5, None, 0, {}, False)]])
    tree = await asked(trader, "adl/77")
    assert tree == adl_tree(event, rig.doors.board.instruments[PERP])


async def test_the_answer_is_the_same_after_a_restart(rig: Rig, tmp_path: Path) -> None:
    """A fresh reader of the file knows no more than the file."""
    maker, taker = await rig.open_account(), await rig.open_account()
    await rig.set_index("BTC-USDT", "50000")
    await maker.order(PERP, "sell", "0.1", price="50000")
    (fill,) = (await taker.order(PERP, "buy", "0.1", price="50000"))["fills"]
    refused = await taker.ask("DELETE", "/v1/orders/99")
    caller = Caller(account_id=taker.account_id)
    file = File(rig.history._path)
    restarted = dataclasses.replace(rig.doors, history=file)
    for path in (fill["why"], refused.json["error"]["details"]["why"]):
        before = await asked(taker, path)
        kind, _, of = path.partition("/")
        ask = msgspec.convert({"kind": kind, "of": of}, WhyAsk)
        assert await why(restarted, ask, caller) == before
    file._close_readers()


@pytest.mark.parametrize(
    "path",
    [
        "reject/1",
        "reject/x",
        "reject/99999999999999999999",
        "fill/BTC-USDT-PERP:1",
        "fill/nothing",
        "fill/NO-SUCH:1",
        "interest/1",
        "funding/1",
        "call/1",
        "liquidation/1",
        "adl/1",
    ],
)
async def test_what_is_not_there_is_not_found(rig: Rig, path: str) -> None:
    trader = await rig.open_account()
    answer = await trader.ask("GET", f"/v1/why/{path}")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_the_op_of_the_websocket_answers_the_same(rig: Rig) -> None:
    trader = await rig.open_account()
    refused = await trader.ask("DELETE", "/v1/orders/99")
    kind, _, of = refused.json["error"]["details"]["why"].partition("/")
    caller = Caller(account_id=trader.account_id, permissions=frozenset({"read"}))
    said = await Api(rig.doors).call("why", {"kind": kind, "of": of}, caller)
    assert said == await asked(trader, f"{kind}/{of}")


async def test_anothers_reason_is_not_found(rig: Rig) -> None:
    one, two = await rig.open_account(), await rig.open_account()
    refused = await one.ask("DELETE", "/v1/orders/99")
    path = refused.json["error"]["details"]["why"]
    await asked(one, path)
    answer = await two.ask("GET", f"/v1/why/{path}")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_a_kind_there_is_none_of_is_refused(rig: Rig) -> None:
    trader = await rig.open_account()
    answer = await trader.ask("GET", "/v1/why/weather/1")
    assert answer.status == 400
    assert (await rig.ask("GET", "/v1/why/fill/1")).status == 401


async def test_while_the_history_is_behind_it_says_so(rig: Rig) -> None:
    """What is not there yet is not said to be nowhere."""
    trader = await rig.open_account()
    file = File(rig.history._path)
    file.behind = True
    behind = dataclasses.replace(rig.doors, history=file)
    ask = msgspec.convert({"kind": "reject", "of": "5"}, WhyAsk)
    with pytest.raises(ApiError, match="BUSY"):
        await why(behind, ask, Caller(account_id=trader.account_id))
    file._close_readers()
