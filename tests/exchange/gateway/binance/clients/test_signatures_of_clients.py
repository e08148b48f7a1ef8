"""HMAC, RSA and Ed25519 keys sign REST and WebSocket requests of every client here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance import Client
from binance.exceptions import BinanceAPIException
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI
from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import Spot
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.exchange.gateway.binance.clients.pointing import (
    ccxt_client,
    point_python_binance,
    python_binance,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS: Final = ("hmac", "ed25519", "rsa")
PAIR: Final = {"symbol": "BTCUSDT"}
LIMIT: Final = PAIR | {"price": "49000", "quantity": "0.01"}


class Signer(NamedTuple):
    """An account's key of some kind: a secret, or a private key in PEM."""

    trader: Trader
    key: str
    secret: str
    private: str

    @property
    def of_python_binance(self) -> dict[str, str]:
        """As its constructor wants it."""
        if self.private:
            return {"api_key": self.key, "api_secret": "", "private_key": self.private}
        return {"api_key": self.key, "api_secret": self.secret}

    @property
    def of_sdk(self) -> dict[str, str]:
        """As a configuration of the official SDK wants it."""
        if self.private:
            return {"api_key": self.key, "private_key": self.private}
        return {"api_key": self.key, "api_secret": self.secret}


def pem_of(kind: str) -> tuple[str, str]:
    """A new private key and its public one, in PEM."""
    private: Any = (
        Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65_537, 2_048)
    )
    told = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kept = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return kept.decode().strip(), told.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("signatures")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", params=KINDS)
async def signer(floor: Venue, request: pytest.FixtureRequest) -> Signer:
    trader = await floor.account(spot="BTC")
    if request.param == "hmac":
        return Signer(trader, trader.key, trader.secret, "")
    private, public = pem_of(request.param)
    made = (await trader.ask("POST", "/v1/keys", {"public_key": public})).json
    assert made["kind"] == request.param
    return Signer(trader, made["api_key"], "", private)


async def test_python_binance_signs_rest_and_websocket(signer: Signer) -> None:
    async with python_binance(signer.trader, **signer.of_python_binance) as client:
        assert (await client.get_account())["canTrade"] is True  # By query.
        resting = await client.order_limit_buy(**LIMIT)  # By a form.
        await client.cancel_order(**PAIR, orderId=resting["orderId"])
        assert (await client.futures_account())["canTrade"] is True
        await client.futures_limit_buy_order(**LIMIT, timeInForce="GTC")
        await client.transfer_spot_to_margin(asset="USDT", amount="5")
        assert (await client.ws_get_account())["canTrade"] is True
        placed = await client.ws_order_limit_buy(**LIMIT)
        await client.ws_cancel_order(**PAIR, orderId=placed["orderId"])
        assert (await client.ws_futures_account_status())["canTrade"] is True
        assert (
            await client.ws_futures_create_order(
                **LIMIT, side="BUY", type="LIMIT", timeInForce="GTC"
            )
        )["status"] == "NEW"


async def test_the_synchronous_client_signs_as_well(signer: Signer) -> None:
    point_python_binance(signer.trader.rig.url)

    def trades() -> str:
        client = Client(**signer.of_python_binance)
        resting = client.order_limit_buy(**LIMIT)
        gone = client.cancel_order(**PAIR, orderId=resting["orderId"])
        client.close_connection()
        return str(gone["status"])

    assert await asyncio.to_thread(trades) == "CANCELED"


async def test_ccxt_signs_rest_and_websocket(signer: Signer) -> None:
    async with ccxt_client("binance", signer.trader) as exchange:
        exchange.apiKey, exchange.secret = signer.key, signer.private or signer.secret
        assert (await exchange.fetch_balance())["BTC"]["free"] == 10
        resting = await exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 49_000)
        await exchange.cancel_order(resting["id"], "BTC/USDT")
        placed = await exchange.create_order_ws("BTC/USDT", "limit", "buy", 0.01, 49_000)
        gone = await exchange.cancel_order_ws(placed["id"], "BTC/USDT")
        assert gone["status"] == "canceled"
        future = await exchange.create_order_ws("BTC/USDT:USDT", "limit", "buy", 0.01, 49_000)
        assert future["status"] == "open"


async def test_the_official_sdk_signs_rest(signer: Signer) -> None:
    rest = ConfigurationRestAPI(**signer.of_sdk, base_path=signer.trader.rig.url)
    client = Spot(config_rest_api=rest).rest_api

    def trades() -> tuple[Any, Any]:
        placed = client.new_order(
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            time_in_force="GTC",
            quantity=0.01,
            price=49_000,
        ).data()
        gone = client.delete_order(symbol="BTCUSDT", order_id=placed.order_id).data()
        return client.get_account().data().can_trade, gone.status

    assert await asyncio.to_thread(trades) == (True, "CANCELED")


async def test_the_official_sdk_logs_on_and_orders_without_signing(signer: Signer) -> None:
    url = signer.trader.rig.url.replace("http", "ws", 1)
    settings = ConfigurationWebSocketAPI(**signer.of_sdk, stream_url=f"{url}/ws-api/v3")
    connection = await Spot(config_ws_api=settings).websocket_api.create_connection()
    try:
        logged = (await connection.session_logon()).data()
        assert logged.result.api_key == signer.key
        placed = await connection.order_place(
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            time_in_force="GTC",
            quantity=0.01,
            price=49_000,
        )
        assert placed.data().result.status == "NEW"
        account = (await connection.account_status()).data()
        assert account.result.can_trade is True
        await connection.session_logout()
    finally:
        await connection.close_connection()


async def test_a_signature_by_another_key_is_refused(floor: Venue) -> None:
    trader = await floor.account()
    for kind in ("ed25519", "rsa"):
        _, public = pem_of(kind)
        other, _ = pem_of(kind)
        made = (await trader.ask("POST", "/v1/keys", {"public_key": public})).json
        liar = Signer(trader, made["api_key"], "", other)
        async with python_binance(trader, **liar.of_python_binance) as client:
            for asked in (client.get_account(), client.ws_get_account()):
                with pytest.raises(BinanceAPIException) as refused:
                    await asked
                assert refused.value.code == -1022
        rest = ConfigurationRestAPI(**liar.of_sdk, base_path=trader.rig.url)
        with pytest.raises(BadRequestError):
            await asyncio.to_thread(Spot(config_rest_api=rest).rest_api.get_account)
