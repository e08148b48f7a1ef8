"""A connection's subscriptions keep their numbers, and end with what they were opened by."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.private import PrivateStreams
from exchange.gateway.binance.user_data.feeds import UserData
from exchange.gateway.binance.user_data.subscribing import Subscriptions
from exchange.gateway.calls import Caller
from tests.exchange.gateway.rig import running

ALICE, BOB = Caller(account_id=100, key="a"), Caller(account_id=101, key="b")


async def test_numbers_count_up_and_the_same_stream_keeps_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        held = Subscriptions(UserData(rig.doors, PrivateStreams()), lambda frame: None)
        assert held.open(ALICE, "spot") == {"subscriptionId": 0}
        assert held.open(BOB, "spot") == {"subscriptionId": 1}
        assert held.open(ALICE, "spot", until_ms=9) == {"subscriptionId": 0, "expirationTime": 9}
        assert held.close(Params([("subscriptionId", "0")])) == {}
        assert held.open(ALICE, "spot") == {"subscriptionId": 2}
        with pytest.raises(BinanceError) as refused:
            held.close(Params([("subscriptionId", "0")]))
        assert refused.value.code == -1130
        assert held.close(Params([])) == {}
        assert held.listed() == []


async def test_a_logout_ends_only_what_a_logon_opened(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        held = Subscriptions(UserData(rig.doors, PrivateStreams()), lambda frame: None)
        held.open(ALICE, "spot", by_logon=True)
        held.open(BOB, "spot")
        assert held.has_logons
        held.close_of_logon()
        assert not held.has_logons
        assert held.listed() == [{"subscriptionId": 1}]
        held.close_all()
        assert held.listed() == []
