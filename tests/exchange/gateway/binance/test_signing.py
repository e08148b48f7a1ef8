"""Signatures over what was sent, keys, and windows of time."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.gateway import auth
from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.signing import known_caller, signed_caller, without_signature
from tests.exchange.gateway.rig import Rig, Trader, running


def test_the_signature_itself_is_cut_out_and_nothing_else_changes() -> None:
    query, body = "symbol=A%20B&signature=ff&side=BUY", "quantity=1&signature=00"
    assert without_signature(query, body) == b"symbol=A%20B&side=BUYquantity=1"
    assert without_signature("a=1", "b=2") == b"a=1b=2"


def signed(rig: Rig, trader: Trader, query: str) -> int | None:
    signature = auth.hmac_signature(trader.secret, query.encode())
    params = Params.of_request(f"{query}&signature={signature}", "")
    caller = signed_caller(rig.doors, trader.key, (query.encode(),), params, "127.0.0.1")
    return caller.account_id


async def test_who_signs_in_time_is_known(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        trader, now_ms = await rig.open_account(), rig.doors.clock.wall_ms()
        for stamp in (now_ms, now_ms * 1_000, now_ms + 900, now_ms - 4_000):
            assert signed(rig, trader, f"timestamp={stamp}") == trader.account_id
        late = f"timestamp={now_ms - 9_000}&recvWindow=10000.5"
        assert signed(rig, trader, late) == trader.account_id


@pytest.mark.parametrize(
    ("offset_ms", "more", "code"),
    [
        (-9_000, "", -1021),
        (5_000, "", -1021),
        (0, "&recvWindow=60001", -1131),
        (0, "&recvWindow=x", -1102),
        (0, "&recvWindow=.5", -1102),
    ],
)
async def test_who_signs_too_early_or_too_late_is_told(
    tmp_path: Path, offset_ms: int, more: str, code: int
) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        stamp = rig.doors.clock.wall_ms() + offset_ms
        with pytest.raises(BinanceError) as refused:
            signed(rig, trader, f"timestamp={stamp}{more}")
        assert refused.value.code == code


async def test_a_wrong_signature_a_missing_stamp_and_an_unknown_key_are_refused(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        stamp = f"timestamp={rig.doors.clock.wall_ms()}"
        for query, code in (
            (f"{stamp}&signature=ff", -1022),
            ("signature=ff", -1102),
            (stamp, -1102),
        ):
            params = Params.of_request(query, "")
            with pytest.raises(BinanceError) as refused:
                signed_caller(rig.doors, trader.key, (stamp.encode(),), params, "127.0.0.1")
            assert refused.value.code == code
        for key, code in (("", -2014), ("no-key!", -2014), ("a" * 200, -2014), ("a" * 64, -2015)):
            with pytest.raises(BinanceError) as refused:
                known_caller(rig.doors, key, "127.0.0.1")
            assert (refused.value.code, refused.value.status) == (code, 401)


async def test_an_ed25519_signature_may_arrive_as_transit_left_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        private = Ed25519PrivateKey.generate()
        pem = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = rig.doors.keys.create(trader.account_id, public_key=pem.decode())
        query = f"timestamp={rig.doors.clock.wall_ms()}"
        signature = base64.b64encode(private.sign(query.encode())).decode()
        for sent in (signature, quote(signature), signature.replace("+", " ")):
            params = Params([("timestamp", query.split("=")[1]), ("signature", sent)])
            caller = signed_caller(rig.doors, key.key, (query.encode(),), params, "127.0.0.1")
            assert caller.account_id == trader.account_id
        params = Params([("timestamp", query.split("=")[1]), ("signature", "not base64!")])
        with pytest.raises(BinanceError, match="-1022"):
            signed_caller(rig.doors, key.key, (query.encode(),), params, "127.0.0.1")
