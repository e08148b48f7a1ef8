"""The command line's own client."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from exchange.cli.client import (
    DEMO_FILE,
    Exchange,
    Identity,
    Refused,
    find_identity,
    keep_identity,
    segment,
)
from exchange.cli.output import Failure, UsageError
from exchange.wire import AccountSay, TimeSay
from tests.exchange.gateway.rig import running

IDENTITY = Identity("http://127.0.0.1:9", "k", "s")


def test_the_identity_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = keep_identity(tmp_path, IDENTITY)
    assert path == tmp_path / DEMO_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_identity(str(tmp_path), environment={}) == IDENTITY
    keep_identity(tmp_path, Identity("http://127.0.0.1:10", "k2", "s2"))
    assert find_identity(str(tmp_path), environment={}).key == "k2"
    assert [entry.name for entry in tmp_path.iterdir()] == [DEMO_FILE]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    keep_identity(tmp_path, IDENTITY)
    keys = {"PAPERTAPE_KEY": "mine", "PAPERTAPE_SECRET": "secret"}
    assert find_identity(str(tmp_path), environment=keys) == Identity(
        "http://127.0.0.1:8080", "mine", "secret"
    )
    url = {"PAPERTAPE_URL": "http://elsewhere:1"}
    assert find_identity(str(tmp_path), environment=url).url == "http://elsewhere:1"
    assert find_identity(str(tmp_path), "http://here:2", url).url == "http://here:2"


def test_without_a_key_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="papertape demo"):
        find_identity(str(tmp_path), environment={})
    with pytest.raises(UsageError, match="PAPERTAPE_SECRET"):
        find_identity(str(tmp_path), environment={"PAPERTAPE_KEY": "half"})
    (tmp_path / DEMO_FILE).write_text("{")
    with pytest.raises(Failure, match="cannot be read"):
        find_identity(str(tmp_path), environment={})


def test_an_address_that_is_none_is_wrong_use() -> None:
    with pytest.raises(UsageError):
        Exchange("localhost:8080")


def test_nobody_there_is_a_failure_that_says_where() -> None:
    with pytest.raises(Failure, match=r"nobody answers at http://127\.0\.0\.1:9"):
        Exchange("http://127.0.0.1:9").get("/v1/time", TimeSay)


def test_a_name_is_one_segment() -> None:
    assert segment("client:a/b") == "client%3Aa%2Fb"


async def test_requests_are_signed_and_refusals_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        exchange = Exchange(rig.url, trader.key, trader.secret)
        account = await asyncio.to_thread(exchange.get, "/v1/account", AccountSay)
        assert account.account_id == trader.account_id
        query = {"symbol": "BTC-USDT"}
        assert await asyncio.to_thread(exchange.get, "/v1/orders", list, query) == []
        with pytest.raises(Refused) as caught:
            await asyncio.to_thread(exchange.post, "/v1/orders", {"symbol": "BTC"}, dict)
        assert caught.value.code == "MISSING_FIELD"
        assert "MISSING_FIELD" in str(caught.value)


async def test_another_server_is_told_from_ours(tmp_path: Path) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        exchange = Exchange(f"http://127.0.0.1:{port}")
        with pytest.raises(Failure, match="answers as no Papertape does"):
            await asyncio.to_thread(exchange.get, "/v1/time", TimeSay)
