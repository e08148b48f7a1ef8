"""Tests of the four traders: what each asks of an exchange, and that it hears all it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from clients.errors import PapertapeError
from clients.january.people import PERP, SPOT, Trader, four_traders
from exchange.wire import PreviewSay
from tests.clients.fake_exchange import FakeExchange, Refused, eventually
from tests.clients.wire_samples import PREVIEW, margin


class Choosy(FakeExchange):
    """An exchange that takes perpetual orders up to a quantity, and tells it in a preview."""

    def __init__(self) -> None:
        super().__init__()
        self.preview: list[PreviewSay] = []
        self.previewed: list[str] = []

    async def _answer(self, request: Any, body: bytes) -> tuple[int, Any]:
        if request.path == "/v1/orders/preview":
            self.previewed.append(msgspec.json.decode(body)["qty"])
            return 200, self.preview.pop(0) if self.preview else PREVIEW
        return await super()._answer(request, body)


@pytest_asyncio.fixture
async def choosy() -> AsyncIterator[Choosy]:
    fake = Choosy()
    await fake.start()
    yield fake
    await fake.stop()


def trader(name: str) -> Trader:
    (found,) = (each for each in four_traders() if each.name == name)
    return found


def changes(exchange: FakeExchange) -> list[dict[str, Any]]:
    """What the account asked to change, without ids and what says nothing."""
    quiet = ("login", "subscribe", "resume", "account.get")
    return [
        {k: v for k, v in frame.items() if k not in ("id", "client_id") and v}
        for frame in exchange.asked
        if frame["op"] not in quiet
    ]


async def test_the_holder_buys_for_its_stake(choosy: Choosy) -> None:
    one = trader("holder")
    await one.enter(choosy.url)
    (order,) = changes(choosy)
    assert (order["op"], order["symbol"], order["side"]) == ("order.place", SPOT, "buy")
    assert order["quote_qty"] == "1000"
    assert order.get("margin") in (None, "cash")
    assert one.placed is not None
    await one.leave()


async def test_the_margin_long_borrows_before_it_buys(choosy: Choosy) -> None:
    one = trader("margin-long")
    await one.enter(choosy.url)
    first, second, third = changes(choosy)
    assert first == {
        "op": "transfer",
        "from": "spot",
        "to": "margin",
        "asset": "USDT",
        "amount": "1000",
    }
    assert second == {"op": "loan.borrow", "wallet": "margin", "asset": "USDT", "amount": "2000"}
    assert (third["op"], third["quote_qty"], third["margin"]) == ("order.place", "3000", "cross")
    await one.leave()


async def test_the_perpetual_long_keeps_its_stake_and_sets_its_leverage(choosy: Choosy) -> None:
    one = trader("perp-long")
    await one.enter(choosy.url)
    moved, mode, leverage, order = changes(choosy)
    # It is given 100,000, so 99,000 leave.
    assert (moved["from"], moved["to"], moved["amount"]) == ("perp", "spot", "99000")
    assert (mode["op"], mode["mode"]) == ("margin_mode.set", "isolated")
    assert (leverage["op"], leverage["leverage"]) == ("leverage.set", 20)
    # 20 x 1000 at an ask of 50011 are 0.3999 BTC, in whole thousandths.
    assert (order["symbol"], order["side"], order["qty"]) == (PERP, "buy", "0.399")
    await one.leave()


async def test_the_short_asks_for_less_until_it_is_accepted(choosy: Choosy) -> None:
    poor = msgspec.structs.replace(PREVIEW, accepted=False, reason="INSUFFICIENT_MARGIN")
    choosy.preview = [poor, poor]
    one = trader("perp-short")
    await one.enter(choosy.url)
    # 5 x 1000 at a bid of 50009 are 0.09998 BTC.
    assert choosy.previewed == ["0.099", "0.098", "0.097"]
    assert changes(choosy)[-1]["qty"] == "0.097"
    assert changes(choosy)[-1]["side"] == "sell"
    await one.leave()


async def test_another_refusal_ends_it_with_the_traders_name(choosy: Choosy) -> None:
    choosy.preview = [
        msgspec.structs.replace(
            PREVIEW, accepted=False, reason="NO_MARK_PRICE", message="there is no mark yet"
        )
    ]
    one = trader("perp-short")
    with pytest.raises(PapertapeError) as refused:
        await one.enter(choosy.url)
    assert refused.value.code == "NO_MARK_PRICE"
    assert refused.value.message == "perp-short could not take its position: there is no mark yet"
    assert one.placed is None
    await one.leave()


async def test_a_trader_that_was_refused_leaves_no_connection(exchange: FakeExchange) -> None:
    exchange.refuse["order.place"] = Refused("HALTED")
    one = trader("holder")
    with pytest.raises(PapertapeError, match="holder could not take its position"):
        await one.enter(exchange.url)
    await one.leave()
    await eventually(lambda: not exchange.lines)


async def test_it_has_heard_all_once_the_last_number_has_come(exchange: FakeExchange) -> None:
    one = trader("holder")
    await one.enter(exchange.url)
    await exchange.tell("margin", {**told(), "notice": "interest", "amount": "0.02", "due": 7})
    await exchange.say("margin", told())  # A gauge, which is no notice.
    await one.heard_all()
    assert [event.data.notice for event in one.notices] == ["interest"]
    assert one.last_seq == exchange.n
    await one.leave()


async def test_a_break_loses_nothing_that_can_be_resumed(exchange: FakeExchange) -> None:
    one = trader("holder")
    await one.enter(exchange.url)
    await one.heard_all()
    await exchange.break_all()
    await exchange.tell("margin", {**told(), "notice": "funding", "amount": "-1", "due": 8})
    await one.heard_all()
    assert [event.data.notice for event in one.notices] == ["funding"]
    assert not one.missed
    await one.leave()


async def test_a_break_beyond_what_is_kept_is_owned_up_to(exchange: FakeExchange) -> None:
    one = trader("holder")
    await one.enter(exchange.url)
    await one.heard_all()
    await exchange.break_all()
    await exchange.tell("margin", {**told(), "notice": "funding", "amount": "-1", "due": 8})
    exchange.kept_from = exchange.n + 1
    await one.heard_all()
    assert one.notices == []
    assert one.missed
    await one.leave()


async def test_waiting_for_an_exchange_that_is_gone_ends_with_its_error(
    exchange: FakeExchange,
) -> None:
    one = trader("holder")
    await one.enter(exchange.url)
    assert one.client is not None
    await one.client.close()
    exchange.n += 1  # Something that never comes.
    one.client = type(one.client)(exchange.url, "pk-test", "testsecret")
    with pytest.raises(PapertapeError, match="listens no more"):
        await one.heard_all()
    await one.leave()


async def test_leaving_before_entering_is_nothing() -> None:
    await asyncio.wait_for(trader("holder").leave(), 5)


def told() -> dict[str, Any]:
    """The state of a margin scope, as the channel says it."""
    said: dict[str, Any] = msgspec.to_builtins(margin("margin"))
    return said
