"""Commands sent for a caller, and what is read of their events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import CancelOrder, OpenAccount
from exchange.events import AccountOpened
from exchange.gateway import auth
from exchange.gateway.calls import ANYBODY, ApiError, Caller
from exchange.gateway.native.asking import account_id_of, account_of, obeyed
from tests.exchange.gateway.rig import Rig, Trader

PERP = "BTC-USDT-PERP"


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


@pytest.mark.usefixtures("both_ports")
@pytest.mark.parametrize("packed", [False, True])
async def test_numbers_of_a_refusal_beyond_64_bits_are_text_in_every_encoding(
    rig: Rig, alice: Trader, packed: bool
) -> None:
    """What was asked is told in 10^-16 of a USDT inside: 150,000 x 10^16 passes 2^63."""
    codec: Any = msgspec.msgpack if packed else msgspec.json
    stamp = rig.doors.clock.wall_ms()
    signature = auth.hmac_signature(alice.secret, auth.payload(stamp, "GET", "/v1/ws", b""))
    login = {"op": "login", "key": alice.key, "timestamp": stamp, "signature": signature}
    fields = {"symbol": PERP, "side": "buy", "type": "limit", "qty": "3", "price": "50000"}
    order = {"op": "order.place", "leverage": 1, **fields}
    protocols = ["papertape.v1.msgpack"] if packed else []
    address = rig.sockets + "/v1/ws"
    reply: dict[str, Any] = {}
    async with rig.http.ws_connect(address, protocols=protocols) as socket:
        for number, frame in enumerate((login, order)):
            encoded = codec.encode({"id": number, **frame})
            await (socket.send_bytes(encoded) if packed else socket.send_str(encoded.decode()))
            reply = {}
            while reply.get("id") != number:  # The venue has news of its own.
                reply = codec.decode((await socket.receive()).data)
    details = reply["error"]["details"]
    assert reply["error"]["code"] == "INSUFFICIENT_MARGIN"
    # 3 x 50,000, and the fee kept back for it: 0.05 % of that.
    assert (details["asked"], details["available"]) == ("150075", "100000")
    assert all(isinstance(each, str) for each in details.values())
