"""Who may ask: signatures, time windows, replays, permissions, addresses and rate limits; pure.

A signature stands over timestamp, METHOD, path with query as sent, and raw body, joined without
separators: HMAC-SHA256 in lower-case hex, Ed25519 or RSA (PKCS #1 v1.5, SHA-256) in base64.
Time is an argument everywhere, in wall milliseconds unless said otherwise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from matching.reasons import Reason

KEY_HEADER: Final = "X-Papertape-Key"
TIMESTAMP_HEADER: Final = "X-Papertape-Timestamp"
WINDOW_HEADER: Final = "X-Papertape-Window"
SIGNATURE_HEADER: Final = "X-Papertape-Signature"
ADMIN_HEADER: Final = "X-Papertape-Admin"

WINDOW_DEFAULT_MS: Final = 5_000
WINDOW_MAX_MS: Final = 60_000
AHEAD_MAX_MS: Final = 1_000  # How far a client's clock may be ahead of ours.
REPLAYS_KEPT_MAX: Final = 10_000  # Requests remembered per key.
KEYS_GUARDED_MAX: Final = 10_000
NAMES_LIMITED_MAX: Final = 20_000
RSA_BITS_MIN: Final = 2048
RSA_BITS_MAX: Final = 4096
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
INT_CHARS_MAX: Final = 16  # The digits of 2^53.

assert AHEAD_MAX_MS < WINDOW_DEFAULT_MS <= WINDOW_MAX_MS


class ApiKey(Protocol):
    """What a key must tell of itself; `exchange.storage.keys` keeps such records."""

    @property
    def key(self) -> str:
        """Its public name."""

    @property
    def account_id(self) -> int:
        """The account it acts for."""

    @property
    def secret(self) -> str:
        """The shared secret of an HMAC key; empty beside a public key."""

    @property
    def public_key(self) -> str | None:
        """The PEM text of an Ed25519 or RSA key."""

    @property
    def permissions(self) -> Collection[str]:
        """Some of "read", "trade" and "transfer"."""

    @property
    def ips(self) -> Sequence[str]:
        """Addresses or networks it may be used from; none means any."""

    @property
    def expires_ms(self) -> int | None:
        """When it ends, in wall milliseconds."""


class Credentials(msgspec.Struct, frozen=True):
    """What a signed request says about itself, still unchecked."""

    key: str
    timestamp_ms: int
    window_ms: int
    signature: str


# -- signatures --------------------------------------------------------------------------------


def payload(timestamp: int | str, method: str, target: str, body: bytes = b"") -> bytes:
    """What is signed; `target` is the path with its query, exactly as sent."""
    return f"{timestamp}{method}{target}".encode() + body


def hmac_signature(secret: str, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def signature_fits(key: ApiKey, message: bytes, signature: str) -> bool:
    """Was the message signed with this key? HMACs are compared in constant time."""
    if key.public_key is None:
        # An empty secret would let anybody sign, so such a record fits nothing.
        return bool(key.secret) and same_secret(hmac_signature(key.secret, message), signature)
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    public = loaded_public_key(key.public_key)
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(raw, message)
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(raw, message, padding.PKCS1v15(), SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def same_secret(expected: str, given: str) -> bool:
    """Are both the same text? The time taken tells nothing of where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1_000)
def loaded_public_key(pem: str) -> Ed25519PublicKey | rsa.RSAPublicKey | None:
    """The key of a PEM text, or None where it is none we can check signatures with."""
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(public, Ed25519PublicKey):
        return public
    if isinstance(public, rsa.RSAPublicKey) and RSA_BITS_MIN <= public.key_size <= RSA_BITS_MAX:
        return public
    return None


def kind_of(key: ApiKey) -> str:
    """How the key signs: "hmac", "ed25519" or "rsa"."""
    if key.public_key is None:
        return "hmac"
    return "ed25519" if isinstance(loaded_public_key(key.public_key), Ed25519PublicKey) else "rsa"


# -- the request's head ------------------------------------------------------------------------


def credentials(headers: Mapping[str, str]) -> Credentials | Reason:
    """The four headers of a signed request; NOT_AUTHENTICATED where one is missing.

    A timestamp that is no whole number of milliseconds is STALE_TIMESTAMP, and a window outside
    1 to 60,000 ms is FIELD_OUT_OF_RANGE.
    """
    key = headers.get(KEY_HEADER, "")
    signature = headers.get(SIGNATURE_HEADER, "")
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not key or not signature or not timestamp:
        return Reason.NOT_AUTHENTICATED
    timestamp_ms = plain_int(timestamp)
    if timestamp_ms is None:
        return Reason.STALE_TIMESTAMP
    window_ms = plain_int(headers.get(WINDOW_HEADER, str(WINDOW_DEFAULT_MS)))
    if window_ms is None or not 1 <= window_ms <= WINDOW_MAX_MS:
        return Reason.FIELD_OUT_OF_RANGE
    return Credentials(key, timestamp_ms, window_ms, signature)


def plain_int(text: str) -> int | None:
    """ASCII digits as a number below 2^53; None for any other text, leading zeros included.

    One number, one text: the signature stands over the text, so it must not have variants.
    """
    if not text.isascii() or not text.isdigit() or len(text) > INT_CHARS_MAX:
        return None
    number = int(text)
    return number if str(number) == text and number < 1 << 53 else None


def within_window(timestamp_ms: int, window_ms: int, clocks_ms: Iterable[int]) -> bool:
    """Is the timestamp inside the window of at least one of the clocks?"""
    return any(
        timestamp_ms <= now_ms + AHEAD_MAX_MS and now_ms - timestamp_ms <= window_ms
        for now_ms in clocks_ms
    )


def address_allowed(ips: Sequence[str], address: str) -> bool:
    """Is the address in the list of addresses and networks? An empty list allows all."""
    if not ips:
        return True
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    return any(peer in ipaddress.ip_network(ip, strict=False) for ip in ips)


def key_refusal(
    key: ApiKey, given: Credentials, message: bytes, *, address: str, clocks_ms: Sequence[int]
) -> Reason | None:
    """Why a signed request is refused, or None. `clocks_ms` is the wall first, then exchange."""
    if not within_window(given.timestamp_ms, given.window_ms, clocks_ms):
        return Reason.STALE_TIMESTAMP
    # The signature goes first: who cannot sign learns nothing of the key.
    if not signature_fits(key, message, given.signature):
        return Reason.BAD_SIGNATURE
    if key.expires_ms is not None and clocks_ms[0] >= key.expires_ms:
        return Reason.UNKNOWN_KEY
    if not address_allowed(key.ips, address):
        return Reason.ADDRESS_DENIED
    return None


# -- replays -----------------------------------------------------------------------------------


class ReplayGuard:
    """Remembers each key's signed mutating requests for as long as their window is open.

    What is remembered is the message, not the signature: base64 has more than one text for the
    same bytes. Memory is bounded per key: where a still valid message must be forgotten, its
    timestamp becomes a floor, and nothing signed at or before it is taken any more.
    """

    def __init__(self, kept_max: int = REPLAYS_KEPT_MAX, keys_max: int = KEYS_GUARDED_MAX) -> None:
        self._kept_max = kept_max
        self._keys_max = keys_max
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def refusal(
        self, given: Credentials, message: bytes, clocks_ms: Sequence[int]
    ) -> Reason | None:
        """REPLAYED for a message that came before; else None, and it is remembered."""
        seen = self._seen.get(given.key)
        if seen is None:
            seen = self._seen[given.key] = _Seen()
        self._seen.move_to_end(given.key)
        if len(self._seen) > self._keys_max:
            self._seen.popitem(last=False)
        if given.timestamp_ms <= seen.floor_ms:
            return Reason.STALE_TIMESTAMP
        digest = hashlib.sha256(message).digest()
        if digest in seen.until:
            return Reason.REPLAYED
        seen.forget_what_is_over(clocks_ms)
        if len(seen.until) >= self._kept_max:
            _, (timestamp_ms, _) = seen.until.popitem(last=False)
            seen.floor_ms = max(seen.floor_ms, timestamp_ms)
        seen.until[digest] = (given.timestamp_ms, given.window_ms)
        return None


class _Seen:
    """The messages of one key, oldest first, each with its timestamp and window."""

    __slots__ = ("floor_ms", "until")

    def __init__(self) -> None:
        self.until: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self.floor_ms = -1

    def forget_what_is_over(self, clocks_ms: Sequence[int]) -> None:
        """Drop from the old end what no clock's window holds any more."""
        while self.until:
            timestamp_ms, _ = next(iter(self.until.values()))
            # A message may come again under a wider window header: that is not signed.
            if within_window(timestamp_ms, WINDOW_MAX_MS, clocks_ms):
                return
            self.until.popitem(last=False)


# -- rate limits -------------------------------------------------------------------------------


class Allowance(msgspec.Struct, frozen=True):
    """The answer of a limiter: may it be, how much is left, how long to wait if not."""

    allowed: bool
    limit: int
    remaining: int
    retry_ms: int

    def headers(self) -> dict[str, str]:
        """The response headers that tell a client where it stands."""
        told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
        }
        if not self.allowed:
            told["Retry-After"] = str(-(-self.retry_ms // 1_000))
        return told


UNLIMITED: Final = Allowance(allowed=True, limit=0, remaining=0, retry_ms=0)


class RateLimiter:
    """A token bucket for each name: `count` at once, and `count` every `per_ms` (0: no limit).

    Tokens are counted in parts of 1/per_ms, so that a millisecond adds exactly `count` of them.
    """

    def __init__(self, count: int, per_ms: int, names_max: int = NAMES_LIMITED_MAX) -> None:
        assert count >= 0
        assert per_ms >= 1
        self._count = count
        self._per_ms = per_ms
        self._names_max = names_max
        self._buckets: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, name: str, now_ms: int, cost: int = 1) -> Allowance:
        """Take `cost` tokens from the name's bucket, all or none. O(1)."""
        if not self._count:
            return UNLIMITED
        full = self._count * self._per_ms
        parts, then_ms = self._buckets.get(name, (full, now_ms))
        # The wall may be set back: then nothing is added, and time goes on from there.
        parts = min(full, parts + max(0, now_ms - then_ms) * self._count)
        missing = cost * self._per_ms - parts
        if missing <= 0:
            parts -= cost * self._per_ms
        self._buckets[name] = (parts, now_ms)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._names_max:
            # The longest unused is the nearest to full, so it forgets least.
            self._buckets.popitem(last=False)
        retry_ms = max(0, -(-missing // self._count))
        return Allowance(missing <= 0, self._count, parts // self._per_ms, retry_ms)


class LimitCounts(Protocol):
    """How much may be asked, 0 for no limit; `exchange.config.Limits` is one."""

    @property
    def weight_per_minute(self) -> int:
        """Requests of an address, and of a key."""

    @property
    def orders_per_10_seconds(self) -> int:
        """Orders of an account in the short run,"""

    @property
    def orders_per_day(self) -> int:
        """and in the long run."""

    @property
    def accounts_per_minute(self) -> int:
        """Accounts opened from one address."""


class RateLimits:
    """The limits of the native doors."""

    def __init__(self, counts: LimitCounts) -> None:
        self._requests = RateLimiter(counts.weight_per_minute, MINUTE_MS)
        self._orders = RateLimiter(counts.orders_per_10_seconds, 10_000)
        self._orders_of_day = RateLimiter(counts.orders_per_day, DAY_MS)
        self._accounts = RateLimiter(counts.accounts_per_minute, MINUTE_MS)

    def request(self, name: str, now_ms: int) -> Allowance:
        """Count one request of an address or a key."""
        return self._requests.take(name, now_ms)

    def orders(self, account_id: int, now_ms: int, count: int = 1) -> Allowance:
        """Count the orders of an account, against both of its limits."""
        name = str(account_id)
        of_day = self._orders_of_day.take(name, now_ms, count)
        return self._orders.take(name, now_ms, count) if of_day.allowed else of_day

    def account(self, address: str, now_ms: int) -> Allowance:
        """Count an account opened from an address."""
        return self._accounts.take(address, now_ms)
