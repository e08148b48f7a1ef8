"""What the streams say: optional parts stay away, and a client's plain records read them too."""

from __future__ import annotations

import msgspec

from exchange.wire import MarginSay, Push
from exchange.wire.stream import GapPush, GaugeSay, NoticeSay, StatusSay, SubscribedSay

MARGIN = ("margin", "2000", "1000", "2", "1.9", "1.3", "1.1", 3)


def test_a_notice_carries_only_the_fields_it_is_about() -> None:
    notice = NoticeSay(*MARGIN, notice="margin_call", add="5")
    told = msgspec.json.decode(msgspec.json.encode(notice))
    assert set(told) == {*MarginSay.__struct_fields__, "notice", "add"}
    assert told["state"] == "normal"


def test_who_knows_margin_scopes_alone_can_read_notices_and_gauges() -> None:
    for say in (NoticeSay(*MARGIN, notice="loan"), GaugeSay(*MARGIN, unrealised="-1")):
        assert msgspec.json.decode(msgspec.json.encode(say), type=MarginSay) == MarginSay(*MARGIN)


def test_a_status_leaves_out_what_it_does_not_tell() -> None:
    encoded = msgspec.json.encode(StatusSay("paper", "symbol_state", symbol="X", state="halt"))
    assert msgspec.json.decode(encoded) == {
        "env": "paper",
        "event": "symbol_state",
        "symbol": "X",
        "state": "halt",
    }


def test_a_push_behind_a_gap_is_still_a_push() -> None:
    encoded = msgspec.json.encode(GapPush("trades.X", 9, 7, {"price": "1"}, gap=4))
    assert msgspec.json.decode(encoded)["gap"] == 4
    assert msgspec.json.decode(encoded, type=Push) == Push("trades.X", 9, 7, {"price": "1"})


def test_without_private_channels_there_is_no_number_to_go_on_from() -> None:
    assert msgspec.json.decode(msgspec.json.encode(SubscribedSay(["status"])))["seq"] is None
