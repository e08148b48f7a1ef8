"""Tests of a whole load by way of the Binance door: a real exchange, real sockets."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from clients.errors import PapertapeError
from clients.load.binance.lines import BinanceLines
from clients.load.driver import WallTimer
from clients.load.options import Target
from clients.load.plan import Item, make_plan
from clients.load.progress import Progress
from clients.load.running import Run
from clients.signing import Signer
from exchange.config import Binance, Config, Limits, Server
from tests.clients.load.lines import blank
from tests.clients.load.worlds import MARKETS, SYMBOLS, shape
from tests.exchange.gateway.rig import ADMIN_KEY, Rig, running

FREE = Config(
    server=Server(admin_key=ADMIN_KEY),
    limits=Limits(0, 0, 0, 0, 0, 0),
    binance=Binance(
        spot_orders_per_10_seconds=0,
        futures_orders_per_10_seconds=0,
        futures_orders_per_minute=0,
        spot_messages_per_second=0,
        futures_messages_per_second=0,
    ),
)


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """An exchange without limits."""
    async with running(tmp_path, config=FREE) as rig:
        await rig.set_index("BTC-USDT", "50000")
        yield rig


def load(rig: Rig, key: str | None = None, secret: str | None = None, **changes: Any) -> Run:
    target = Target(rig.url, (f"{rig.sockets}/v1/ws",), key, secret, 2, "binance")
    usual = {"rate": 300, "seconds": 0.5, "warm_up_s": 0.1}
    return Run(target, make_plan(shape(**(usual | changes))), Progress(io.StringIO()))


async def test_everything_planned_is_done_on_spot_and_contracts(rig: Rig) -> None:
    report = await load(rig).report()
    assert (report.planned, report.sent, report.unanswered) == (150, 150, 0)
    assert set(report.latency_ms) >= {"all", "place", "amend", "cancel", "take", "subscribe"}
    # What was taken is no longer there to amend or cancel; nothing else is refused.
    assert report.refused == sum(sum(codes.values()) for codes in report.errors.values())
    assert set(report.errors) <= {"amend", "cancel"}
    assert report.refused < 50
    assert report.done > 100
    # Two connections, each with two sockets for orders, and two for streams where it hears any.
    assert 4 < report.sockets <= 8
    assert report.slow_readers is not None
    assert (report.slow_readers.readers, report.slow_readers.lost) == (2, {})
    assert report.connections_lost == {}
    for symbol in SYMBOLS:  # It cleaned up behind itself.
        book = (await rig.ask("GET", f"/v1/book/{symbol}")).json
        assert (book["bids"], book["asks"]) == ([], [])


async def test_a_key_of_ed25519_logs_on_once(rig: Rig) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    trader = await rig.open_account()
    permissions = ["read", "trade", "transfer"]
    ask = {"public_key": public.decode(), "permissions": permissions}
    key = (await trader.ask("POST", "/v1/keys", ask)).json["api_key"]
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    report = await load(rig, key, secret, mix={"place": 1}).report()
    assert (report.done, report.refused) == (150, 0)


async def test_a_plan_opens_no_more_sockets_than_it_needs() -> None:
    plan = make_plan(shape(symbols=("BTC-USDT",), mix={"place": 1}))
    markets = {"BTC-USDT": MARKETS["BTC-USDT"]}
    assert BinanceLines(plan, markets).places == [(0, "spot", "orders"), (1, "spot", "orders")]


async def test_orders_and_streams_go_different_ways(rig: Rig) -> None:
    plan = make_plan(shape())
    lines = BinanceLines(plan, MARKETS)
    assert not lines.alive
    trader = await rig.open_account()
    for place in lines.places:
        signer = Signer(trader.key, trader.secret)
        await lines.open(place, rig.sockets, signer, blank(), WallTimer())
    assert lines.alive
    order, stream = Item(0, 1, "place", "BTC-USDT"), Item(0, 1, "subscribe", "BTC-USDT")
    assert lines.of(order) is lines.of(Item(5, 1, "cancel", "BTC-USDT", order=3))
    ways = [lines.of(order), lines.of(stream), lines.of(Item(0, 1, "place", "BTC-USDT-PERP"))]
    assert len(set(ways)) == 3
    for line in lines.lines:
        await line.close()
    assert not lines.alive


async def test_a_port_without_the_door_is_said_in_words(tmp_path: Path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(enabled=False))
    async with running(tmp_path, config=config) as rig:
        await rig.set_index("BTC-USDT", "50000")
        with pytest.raises(PapertapeError, match="no WebSocket answers at"):
            await load(rig).report()
