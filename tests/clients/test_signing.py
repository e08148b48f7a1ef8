"""Tests of the signatures."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clients.signing import Signer

BODY = b'{"symbol":"BTC-USDT"}'


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_an_hmac_signature_is_the_published_one() -> None:
    # The check value that the API's description gives.
    assert Signer("k", "testsecret").sign(1_700_000_000_000, "POST", "/v1/orders", BODY) == (
        "9380f81a8080637663b919525d42204241e2fc45a04d6ab63670348bccda112a"
    )


def test_an_ed25519_signature_holds_for_the_public_key() -> None:
    key = Ed25519PrivateKey.generate()
    signature = Signer("k", pem(key)).sign(1, "POST", "/v1/orders", BODY)
    # Raises InvalidSignature if it does not.
    key.public_key().verify(base64.b64decode(signature), b"1POST/v1/orders" + BODY)


def test_another_private_key_than_ed25519_is_refused() -> None:
    with pytest.raises(ValueError, match="must be Ed25519"):
        Signer("k", pem(generate_private_key(SECP256R1())))


def test_the_headers_carry_key_time_window_and_signature() -> None:
    headers = Signer("k", "s").headers(5, "GET", "/v1/account", b"")
    assert headers["X-Papertape-Key"] == "k"
    assert headers["X-Papertape-Timestamp"] == "5"
    assert headers["X-Papertape-Window"] == "5000"
    assert re.fullmatch("[0-9a-f]{64}", headers["X-Papertape-Signature"])


def test_a_query_is_signed_in_the_order_of_its_names() -> None:
    # HMAC-SHA256 of "a=1&b=2", worked out with openssl.
    signature = Signer("k", "testsecret").sign_query({"b": "2", "a": "1"})
    assert signature == "1a6cdaee538f594b2d50dd50d11f820a09e97a04c630bfb9daf22041d87289a4"
    assert Signer("k", "testsecret").is_shared_secret
    assert not Signer("k", pem(Ed25519PrivateKey.generate())).is_shared_secret
