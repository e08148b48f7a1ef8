"""Signatures of requests: HMAC-SHA256 with a shared secret, or Ed25519 with a private key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

WINDOW_MS = 5_000  # How old a signed request may be when it arrives.
_PEM = "-----BEGIN"


class Signer:
    """An API key and what signs for it.

    `secret` is the shared secret of an HMAC key, or the PEM text of an Ed25519 private key.
    """

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.is_shared_secret = not secret.lstrip().startswith(_PEM)
        self._sign = _hmac(secret) if self.is_shared_secret else _ed25519(secret)

    def sign(self, timestamp_ms: int, method: str, path: str, body: bytes = b"") -> str:
        """Sign a request; `path` with its query exactly as it is sent."""
        return self._sign(f"{timestamp_ms}{method}{path}".encode() + body)

    def sign_query(self, params: Mapping[str, str]) -> str:
        """Sign named values, joined in the order of their names, as the Binance door has it."""
        return self._sign("&".join(f"{name}={params[name]}" for name in sorted(params)).encode())

    def headers(self, timestamp_ms: int, method: str, path: str, body: bytes) -> dict[str, str]:
        """The four headers of a signed REST request."""
        return {
            "X-Papertape-Key": self.key,
            "X-Papertape-Timestamp": str(timestamp_ms),
            "X-Papertape-Window": str(WINDOW_MS),
            "X-Papertape-Signature": self.sign(timestamp_ms, method, path, body),
        }


def _hmac(secret: str) -> Callable[[bytes], str]:
    return lambda text: hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _ed25519(pem: str) -> Callable[[bytes], str]:
    private = load_pem_private_key(pem.strip().encode(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("a private key that signs for Papertape must be Ed25519")
    return lambda text: base64.b64encode(private.sign(text)).decode()
