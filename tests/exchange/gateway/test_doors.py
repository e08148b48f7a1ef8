"""What a door may ask: who signed, who logs in, who is let in at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from exchange.gateway import auth
from exchange.gateway.calls import PERMISSIONS, ApiError
from exchange.wire import LoginAsk
from tests.exchange.gateway.rig import START_MS, Rig, running


@pytest_asyncio.fixture
async def rig(tmp_path) -> AsyncIterator[Rig]:
    async with running(tmp_path) as found:
        yield found


async def test_a_login_is_signed_over_the_address_of_the_websocket(rig: Rig) -> None:
    trader = await rig.open_account()
    stamp = rig.doors.clock.wall_ms()
    message = auth.payload(stamp, "GET", "/v1/ws")
    ask = LoginAsk(trader.key, stamp, auth.hmac_signature(trader.secret, message))
    caller = rig.doors.login(ask, "127.0.0.1")
    assert (caller.account_id, caller.key) == (trader.account_id, trader.key)
    assert caller.permissions == PERMISSIONS
    assert caller.admin is False
    other = LoginAsk(trader.key, stamp, auth.hmac_signature(trader.secret, message + b"?"))
    with pytest.raises(ApiError) as caught:
        rig.doors.login(other, "127.0.0.1")
    assert caught.value.code == "BAD_SIGNATURE"


async def test_both_clocks_are_told_the_wall_first(rig: Rig) -> None:
    wall_ms, exchange_ms = rig.doors.clocks_ms()
    assert exchange_ms == START_MS
    assert wall_ms > START_MS


async def test_a_strangers_headers_are_not_admitted(rig: Rig) -> None:
    rig.doors.admit({"Host": "localhost:1"})
    with pytest.raises(ApiError):
        rig.doors.admit({"Host": "elsewhere"})


async def test_without_an_admin_key_there_are_no_doors(rig: Rig) -> None:
    parts = {
        name: getattr(rig.doors, name)
        for name in (
            *("engine", "sequencer", "board", "desk", "history", "keys", "clock", "config"),
            *("metrics", "health", "auditor"),
        )
    }
    with pytest.raises(AssertionError):
        type(rig.doors)(**parts, admin_key="")
