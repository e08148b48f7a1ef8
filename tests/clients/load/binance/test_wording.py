"""Tests of requests to the Binance door: what a plan's items become, and how they are signed."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clients.load.binance.wording import BinanceWording, product_of, stream_of
from clients.load.plan import CHANNELS, Item, Kind
from clients.load.wording import Market
from clients.signing import Signer
from exchange.gateway.auth import hmac_signature
from exchange.gateway.binance.ws_api.frames import request_of, signed_messages
from tests.clients.load.worlds import MARKETS
from tests.clients.wire_samples import instrument

SECRET = "testsecret"


def worded(items: list[Item], signer: Signer | None = None) -> list[dict[str, Any]]:
    wording = BinanceWording(MARKETS, "run", [signer or Signer("key", SECRET)])
    return [msgspec.json.decode(wording.text(n, item)) for n, item in enumerate(items)]


def item(kind: Kind, symbol: str = "BTC-USDT", **more: Any) -> Item:
    usual: dict[str, Any] = {"order": 7, "size": 2, "distance_bps": 50}
    return Item(0, 0, kind, symbol, **(usual | more))


def told(request: dict[str, Any]) -> dict[str, str]:
    """Its parameters without those that any request has."""
    always = {"apiKey", "signature", "timestamp"}
    return {name: text for name, text in request["params"].items() if name not in always}


def test_each_kind_of_request_on_spot() -> None:
    place, take, cancel = worded([item("place"), item("take", side="sell"), item("cancel")])
    pair = MARKETS["BTC-USDT"].instrument
    about = {"symbol": pair.base + pair.quote}
    # Half a percent below 50,000; twice the smallest size, 0.0002.
    assert (place["id"], place["method"]) == (0, "order.place")
    assert told(place) == about | {
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "49750",
        "quantity": "0.0004",
        "newClientOrderId": "run-0-7",
    }
    assert take["method"] == "order.place"
    assert told(take) == about | {
        "side": "SELL",
        "type": "MARKET",
        "quantity": "0.0004",
        "newClientOrderId": "run-0-7",
    }
    assert cancel["method"] == "order.cancel"
    assert told(cancel) == about | {"origClientOrderId": "run-0-7"}


def test_an_order_of_spot_is_replaced_and_has_another_name_from_then_on() -> None:
    first, second, cancel, other = worded(
        [item("amend"), item("amend"), item("cancel"), item("cancel", order=8)]
    )
    assert first["method"] == "order.cancelReplace"
    assert first["params"]["cancelOrigClientOrderId"] == "run-0-7"
    assert first["params"]["newClientOrderId"] == "run-0-7-1"
    assert second["params"]["cancelOrigClientOrderId"] == "run-0-7-1"
    assert cancel["params"]["origClientOrderId"] == "run-0-7-2"
    assert other["params"]["origClientOrderId"] == "run-0-8"


def test_an_order_on_a_contract_is_modified_and_keeps_its_name() -> None:
    perp = "BTC-USDT-PERP"
    amend, cancel = worded([item("amend", perp), item("cancel", perp)])
    assert amend["method"] == "order.modify"
    assert amend["params"]["origClientOrderId"] == cancel["params"]["origClientOrderId"]
    assert amend["params"]["price"] == "49750"


def test_subscriptions_name_streams() -> None:
    channel = {"channel": "trades.BTC-USDT-PERP"}
    enter, leave = worded(
        [item("subscribe", "BTC-USDT-PERP", **channel, leave=leave) for leave in (False, True)]
    )
    assert (enter["method"], leave["method"]) == ("SUBSCRIBE", "UNSUBSCRIBE")
    assert enter["params"] == leave["params"] == [stream_of("trades", MARKETS["BTC-USDT-PERP"])]


@pytest.mark.parametrize("symbol", MARKETS)
def test_every_channel_of_a_plan_has_a_stream(symbol: str) -> None:
    names = [stream_of(channel, MARKETS[symbol]) for channel in CHANNELS]
    pair = MARKETS[symbol].instrument
    assert all(name.startswith(f"{pair.base}{pair.quote}@".lower()) for name in names)
    assert len(set(names)) == len(CHANNELS)


def test_each_request_is_signed_as_the_door_reads_it() -> None:
    wording = BinanceWording(MARKETS, "run", [Signer("key", SECRET)])
    request = request_of(wording.text(1, item("place")))
    signature = request.texts["signature"]
    assert request.texts["apiKey"] == "key"
    assert signature in [hmac_signature(SECRET, m) for m in signed_messages(request.texts)]


def test_for_a_key_of_ed25519_the_line_has_logged_on() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (place,) = worded([item("place")], Signer("key", pem))
    assert "timestamp" in place["params"]
    assert not {"apiKey", "signature"} & set(place["params"])


def test_an_inverse_contract_is_for_the_native_dialect() -> None:
    inverse = Market.of(instrument("BTC-USD-PERP"), Decimal(50_000))
    with pytest.raises(ValueError, match="neither spot nor of USD-M"):
        product_of(inverse)
