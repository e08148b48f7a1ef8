"""The one entry: who may, what is unknown, what becomes of a fault below."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.gateway.calls import ANYBODY, PERMISSIONS, ApiError, Caller
from exchange.gateway.native.api import Api, refuse_unless_permitted
from exchange.gateway.native.routes import BY_OP, ROUTES, Route
from exchange.sequencer import SequencerFailed
from exchange.wire import AccountAsk
from tests.exchange.gateway.rig import Rig, Trader

EVERYBODY = Caller(account_id=100, permissions=PERMISSIONS)


async def code(rig: Rig, op: str, fields: Any, caller: Caller) -> str:
    with pytest.raises(ApiError) as caught:
        await Api(rig.doors).call(op, fields, caller)
    return caught.value.code


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.op)
def test_nobody_in_particular_may_only_ask_public_questions(route: Route) -> None:
    if route.security in {"public", "open"}:
        refuse_unless_permitted(route, ANYBODY)
    else:
        with pytest.raises(ApiError):
            refuse_unless_permitted(route, ANYBODY)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.op)
def test_a_key_needs_exactly_the_permission_of_the_row(route: Route) -> None:
    if route.permission is None:
        return
    enough = Caller(account_id=100, permissions=frozenset({route.permission}))
    refuse_unless_permitted(route, enough)
    with pytest.raises(ApiError) as caught:
        refuse_unless_permitted(
            route, Caller(account_id=100, permissions=PERMISSIONS - {route.permission})
        )
    assert caught.value.code == "PERMISSION_DENIED"


async def test_what_is_not_in_the_table_is_unknown(rig: Rig) -> None:
    assert await code(rig, "order.undo", {}, EVERYBODY) == "UNKNOWN_OPERATION"


async def test_a_frame_reaches_nothing_that_only_rest_has(rig: Rig) -> None:
    for op in ("account.open", "admin.clock", "admin.index", "admin.state"):
        assert await code(rig, op, {}, Caller(admin=True)) == "UNKNOWN_OPERATION"
    opened = await Api(rig.doors).call("account.open", AccountAsk(), Caller())
    assert opened.account_id in rig.doors.engine.risk.accounts


async def test_fields_of_a_frame_are_checked_like_a_body(rig: Rig) -> None:
    assert await code(rig, "book.get", {"symbol": "BTC-USDT", "limit": "5"}, ANYBODY) == (
        "MALFORMED_REQUEST"
    )
    assert await code(rig, "book.get", {"symbol": "BTC-USDT", "deep": True}, ANYBODY) == (
        "UNKNOWN_FIELD"
    )
    book = await Api(rig.doors).call("book.get", b'{"symbol":"BTC-USDT","limit":5}', ANYBODY)
    assert book.symbol == "BTC-USDT"


async def test_an_account_the_engine_does_not_know_is_refused(rig: Rig) -> None:
    stranger = Caller(account_id=999, permissions=PERMISSIONS)
    assert await code(rig, "account.get", {}, stranger) == "UNKNOWN_ACCOUNT"
    assert await code(rig, "order.cancel_all", {}, stranger) == "UNKNOWN_ACCOUNT"


async def test_an_outcome_nobody_knows_is_told_as_that(
    rig: Rig, alice: Trader, monkeypatch
) -> None:
    async def failing(_: object) -> None:
        raise SequencerFailed("the disk is gone")

    monkeypatch.setattr(rig.doors.sequencer, "submit", failing)
    answer = await alice.ask("DELETE", "/v1/orders")
    assert (answer.status, answer.code) == (503, "OUTCOME_UNKNOWN")
    assert "client_id" in answer.json["error"]["message"]


def test_every_operation_is_documented_by_its_row() -> None:
    assert all(route.summary and not route.summary.endswith(".") for route in BY_OP.values())
