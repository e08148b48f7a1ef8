"""Commands sent for a caller, and what is read of their events."""

from __future__ import annotations

import pytest

from exchange.commands import CancelOrder, OpenAccount
from exchange.events import AccountOpened
from exchange.gateway.calls import ANYBODY, ApiError, Caller
from exchange.gateway.native.asking import account_id_of, account_of, obeyed
from tests.exchange.gateway.rig import Rig, Trader


async def test_a_command_that_is_done_gives_its_events(rig: Rig) -> None:
    done = await obeyed(rig.doors, OpenAccount(label="x"))
    (opened,) = done.of(AccountOpened)
    assert opened.account_id == done.answer.result_id
    assert done.of(AccountOpened, label="y") == []


async def test_a_command_that_is_refused_is_an_error(rig: Rig, alice: Trader) -> None:
    with pytest.raises(ApiError) as caught:
        await obeyed(rig.doors, CancelOrder(account_id=alice.account_id, order_id=5))
    assert caught.value.code == "UNKNOWN_ORDER"


async def test_who_speaks_for_no_account_has_none(rig: Rig, alice: Trader) -> None:
    caller = Caller(account_id=alice.account_id)
    assert account_of(rig.doors, caller).label == "alice"
    with pytest.raises(ApiError) as caught:
        account_id_of(ANYBODY)
    assert caught.value.code == "NOT_AUTHENTICATED"
    with pytest.raises(ApiError) as unknown:
        account_of(rig.doors, Caller(account_id=12_345))
    assert unknown.value.code == "UNKNOWN_ACCOUNT"
