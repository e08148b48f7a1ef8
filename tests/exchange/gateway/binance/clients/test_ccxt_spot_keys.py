"""ccxt signs with keys of Ed25519 and RSA here unchanged, by REST and over the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import ccxt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
    soon,
)
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

PrivateKey = Ed25519PrivateKey | RSAPrivateKey
BITS = 2_048


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


@pytest.fixture(params=["ed25519", "rsa"], scope="module")
def private(request: pytest.FixtureRequest) -> PrivateKey:
    """A private key of either kind."""
    if request.param == "rsa":
        return generate_private_key(public_exponent=65_537, key_size=BITS)
    return Ed25519PrivateKey.generate()


async def keyed(market: Venue, private: PrivateKey) -> Trader:
    """An account whose key is known by its public half, and what its owner signs with."""
    trader = await market.account()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made = await trader.ask("POST", "/v1/keys", {"public_key": public.decode()})
    assert made.status == 201, made.body
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Trader(market.rig, trader.account_id, made.json["api_key"], secret.decode().strip())


@by_both
async def test_an_order_is_signed_by_a_private_key(
    market: Venue, private: PrivateKey, library: Library
) -> None:
    async with ccxt_rest(library, await keyed(market, private)) as client:
        placed = await client.create_limit_buy_order(SPOT, 0.01, 48_000)
        gone = await client.cancel_order(placed["id"], SPOT)
        assert gone["status"] == "canceled"


async def test_so_is_one_over_the_websocket_api_and_a_subscription(
    market: Venue, private: PrivateKey
) -> None:
    async with ccxt_client("binance", await keyed(market, private)) as client:
        placed = await soon(client.create_order_ws(SPOT, "limit", "buy", 0.01, 48_000))
        assert placed["status"] == "open"
        await soon(client.ensure_user_data_stream_ws_subscribe_signature())
        watched = asyncio.create_task(client.watch_orders(SPOT))
        await asyncio.sleep(0)
        await soon(client.cancel_order_ws(placed["id"], SPOT))
        (gone,) = await soon(watched)
        assert (gone["id"], gone["status"]) == (placed["id"], "canceled")


async def test_another_private_key_signs_nothing(market: Venue, private: PrivateKey) -> None:
    trader = await keyed(market, private)
    another = await keyed(market, Ed25519PrivateKey.generate())
    forged = Trader(market.rig, trader.account_id, trader.key, another.secret)
    async with ccxt_rest("ccxt.async_support", forged) as client:
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await client.private_get_account()
