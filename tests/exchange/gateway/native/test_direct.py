"""Operations of one command are begun at once, and told as the others are."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.native.api import OPERATIONS, Api
from exchange.gateway.native.direct import DIRECT
from exchange.wire import OrderSay, PlacedSay
from tests.exchange.gateway.rig import NoDisk, Rig, Trader
from tests.exchange.gateway.shells.doorway import until

ORDER = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.01", "price": "49000"}


def caller_of(trader: Trader) -> Caller:
    return Caller(account_id=trader.account_id, permissions=frozenset({"read", "trade"}))


async def outcome(api: Api, op: str, fields: dict[str, Any], caller: Caller) -> Any:
    told: list[Any] = []
    assert api.begin(op, fields, caller, told.append)
    await until(lambda: bool(told))
    return told[0]


@pytest.fixture
async def api(rig: Rig) -> Api:
    await rig.set_index("BTC-USDT", "50000")
    return Api(rig.doors)


def test_each_is_an_operation_that_tasks_carry_out_as_well() -> None:
    assert DIRECT.keys() <= OPERATIONS.keys()


async def test_both_ways_answer_alike(api: Api, alice: Trader) -> None:
    caller = caller_of(alice)
    begun = await outcome(api, "order.place", ORDER, caller)
    called = await api.call("order.place", ORDER, caller)
    assert isinstance(begun, PlacedSay)
    assert begun.order.order_id + 1 == called.order.order_id
    amended = await outcome(
        api, "order.amend", {"order_id": begun.order.order_id, "price": "48000"}, caller
    )
    assert isinstance(amended, OrderSay)
    assert amended.price == "48000.00"
    cancelled = await outcome(api, "order.cancel", {"order_id": amended.order_id}, caller)
    assert cancelled.status == "cancelled"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**ORDER, "price": "49000.001"}, "PRICE_NOT_ON_TICK"),  # By the door,
        ({**ORDER, "qty": "100"}, "INSUFFICIENT_BALANCE"),  # and by the engine.
        ({**ORDER, "colour": "red"}, "UNKNOWN_FIELD"),
    ],
)
async def test_both_ways_refuse_alike(
    api: Api, alice: Trader, fields: dict[str, Any], code: str
) -> None:
    caller = caller_of(alice)
    begun = await outcome(api, "order.place", fields, caller)
    assert isinstance(begun, ApiError)
    with pytest.raises(ApiError) as called:
        await api.call("order.place", fields, caller)
    assert begun.code == called.value.code == code
    assert begun.message == called.value.message
    assert begun.http_status == called.value.http_status


async def test_a_repetition_is_answered_from_the_history(api: Api, alice: Trader) -> None:
    caller, fields = caller_of(alice), {**ORDER, "client_id": "once"}
    first = await outcome(api, "order.place", fields, caller)
    again = await (await outcome(api, "order.place", fields, caller))
    assert again.repeated
    assert again.order.order_id == first.order.order_id


async def test_what_may_not_be_done_is_told_at_once(api: Api, alice: Trader) -> None:
    told: list[Any] = []
    reader = Caller(account_id=alice.account_id, permissions=frozenset({"read"}))
    assert api.begin("order.place", ORDER, reader, told.append)
    assert told[0].code == "PERMISSION_DENIED"


async def test_others_are_not_begun(api: Api, alice: Trader) -> None:
    assert not api.begin("order.batch", {"orders": []}, caller_of(alice), lambda outcome: None)


async def test_both_are_counted(api: Api, rig: Rig, alice: Trader) -> None:
    caller = caller_of(alice)
    await outcome(api, "order.place", ORDER, caller)
    await outcome(api, "order.cancel", {"order_id": 77}, caller)
    text = rig.doors.metrics.text().decode()
    assert 'papertape_requests_total{op="order.place",outcome="done"} 1.0' in text
    assert 'papertape_requests_total{op="order.cancel",outcome="UNKNOWN_ORDER"} 1.0' in text


async def test_a_stopped_sequencer_is_told_of_as_unknown(api: Api, rig: Rig, alice: Trader) -> None:
    told: list[Any] = []
    rig.doors.sequencer._fail("a fault")  # type: ignore[attr-defined]
    assert api.begin("order.place", ORDER, caller_of(alice), told.append)
    assert (told[0].code, told[0].http_status) == ("OUTCOME_UNKNOWN", 503)


async def test_what_is_asked_in_one_turn_of_the_loop_is_kept_as_one_group(
    api: Api, alice: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    monkeypatch.setattr(
        NoDisk, "append_and_sync", lambda self, first, count, payload: groups.append(count)
    )
    told: list[Any] = []
    for _ in range(30):
        assert api.begin("order.place", ORDER, caller_of(alice), told.append)
    assert told == []  # Nothing is durable yet.
    await until(lambda: len(told) == 30)
    assert groups == [30]
    assert [say.order.order_id for say in told] == sorted(say.order.order_id for say in told)
