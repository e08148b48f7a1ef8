"""Signatures, windows, replays, addresses and rate limits."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.config import Limits
from exchange.gateway import auth
from exchange.gateway.auth import Credentials, RateLimiter, RateLimits, ReplayGuard
from matching.reasons import Reason

NOW_MS = 1_700_000_000_000
BODY = b'{"symbol":"BTC-USDT"}'
MESSAGE = auth.payload(NOW_MS, "POST", "/v1/orders", BODY)


@dataclass(frozen=True)
class Key:
    key: str = "k"
    account_id: int = 100
    secret: str = "testsecret"
    public_key: str | None = None
    permissions: frozenset[str] = frozenset({"read"})
    ips: tuple[str, ...] = ()
    expires_ms: int | None = None


def pem(private: Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    public = private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def given(signature: str = "", timestamp_ms: int = NOW_MS, window_ms: int = 5_000) -> Credentials:
    return Credentials("k", timestamp_ms, window_ms, signature)


# -- signatures --------------------------------------------------------------------------------


def test_the_signature_of_the_design_page_comes_out() -> None:
    signature = "9380f81a8080637663b919525d42204241e2fc45a04d6ab63670348bccda112a"
    assert auth.hmac_signature("testsecret", MESSAGE) == signature
    assert auth.signature_fits(Key(), MESSAGE, signature)


@pytest.mark.parametrize(
    "message",
    [
        auth.payload(NOW_MS + 1, "POST", "/v1/orders", BODY),
        auth.payload(NOW_MS, "PUT", "/v1/orders", BODY),
        auth.payload(NOW_MS, "POST", "/v1/orders?a=1", BODY),
        auth.payload(NOW_MS, "POST", "/v1/orders", BODY + b" "),
    ],
)
def test_any_part_that_differs_breaks_the_signature(message: bytes) -> None:
    signature = auth.hmac_signature("testsecret", MESSAGE)
    assert not auth.signature_fits(Key(), message, signature)


@pytest.mark.parametrize("signature", ["", "x", "ÄÖ", "\udcff", "9380F81A" * 8])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    assert not auth.signature_fits(Key(), MESSAGE, signature)


def test_a_key_without_a_secret_lets_nobody_sign() -> None:
    assert not auth.signature_fits(Key(secret=""), MESSAGE, auth.hmac_signature("", MESSAGE))


def test_an_ed25519_signature_is_checked_with_the_public_key() -> None:
    private = Ed25519PrivateKey.generate()
    key = Key(secret="", public_key=pem(private))
    signature = base64.b64encode(private.sign(MESSAGE)).decode()
    assert auth.signature_fits(key, MESSAGE, signature)
    assert not auth.signature_fits(key, MESSAGE + b"!", signature)
    assert not auth.signature_fits(key, MESSAGE, "no base64 at all")
    assert auth.kind_of(key) == "ed25519"


def test_an_rsa_signature_is_checked_with_the_public_key() -> None:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    key = Key(secret="", public_key=pem(private))
    signature = base64.b64encode(private.sign(MESSAGE, padding.PKCS1v15(), SHA256())).decode()
    assert auth.signature_fits(key, MESSAGE, signature)
    assert not auth.signature_fits(key, MESSAGE + b"!", signature)
    assert auth.kind_of(key) == "rsa"


def test_a_public_key_of_another_kind_checks_nothing() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key = Key(secret="", public_key=pem(private))
    signature = base64.b64encode(private.sign(MESSAGE, ec.ECDSA(SHA256()))).decode()
    assert not auth.signature_fits(key, MESSAGE, signature)


# -- the request's head ------------------------------------------------------------------------


def headers(**changed: str) -> dict[str, str]:
    told = {"Key": "k", "Timestamp": str(NOW_MS), "Signature": "s"} | changed
    return {f"X-Papertape-{name}": value for name, value in told.items()}


def test_the_headers_become_credentials_with_a_window_of_five_seconds() -> None:
    assert auth.credentials(headers()) == Credentials("k", NOW_MS, 5_000, "s")
    assert auth.credentials(headers(Window="60000")) == Credentials("k", NOW_MS, 60_000, "s")


@pytest.mark.parametrize("missing", ["Key", "Timestamp", "Signature"])
def test_a_missing_header_is_not_authenticated(missing: str) -> None:
    assert auth.credentials(headers(**{missing: ""})) is Reason.NOT_AUTHENTICATED


@pytest.mark.parametrize("text", ["-1", "+1", "1.5", " 1", "1e3", "٣", "007", "9" * 17])
def test_a_timestamp_has_one_way_to_be_written(text: str) -> None:
    assert auth.credentials(headers(Timestamp=text)) is Reason.STALE_TIMESTAMP


@pytest.mark.parametrize("window", ["0", "60001", "x"])
def test_a_window_is_one_to_sixty_thousand_milliseconds(window: str) -> None:
    assert auth.credentials(headers(Window=window)) is Reason.FIELD_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("timestamp_ms", "inside"),
    [
        (NOW_MS, True),
        (NOW_MS - 5_000, True),
        (NOW_MS - 5_001, False),
        (NOW_MS + 1_000, True),  # A client's clock may be a second ahead,
        (NOW_MS + 1_001, False),  # and not more.
    ],
)
def test_the_window_lies_behind_the_clock(timestamp_ms: int, inside: bool) -> None:
    assert auth.within_window(timestamp_ms, 5_000, [NOW_MS]) is inside


def test_either_clock_will_do() -> None:
    exchange_ms = NOW_MS + 86_400_000
    assert auth.within_window(NOW_MS, 5_000, [NOW_MS, exchange_ms])
    assert auth.within_window(exchange_ms, 5_000, [NOW_MS, exchange_ms])
    assert not auth.within_window(NOW_MS + 3_600_000, 5_000, [NOW_MS, exchange_ms])


@pytest.mark.parametrize(
    ("ips", "address", "allowed"),
    [
        ((), "10.0.0.1", True),
        (("10.0.0.1",), "10.0.0.1", True),
        (("10.0.0.1",), "10.0.0.2", False),
        (("10.0.0.0/24",), "10.0.0.77", True),
        (("10.0.0.1",), "::ffff:10.0.0.1", True),
        (("::1",), "127.0.0.1", False),
        (("10.0.0.1",), "", False),
    ],
)
def test_a_key_with_addresses_works_from_those_alone(
    ips: tuple[str, ...], address: str, allowed: bool
) -> None:
    assert auth.address_allowed(ips, address) is allowed


def refusal(key: Key, credentials: Credentials, address: str = "127.0.0.1") -> Reason | None:
    return auth.key_refusal(key, credentials, MESSAGE, address=address, clocks_ms=(NOW_MS, NOW_MS))


def test_a_signed_request_passes_every_check() -> None:
    signature = auth.hmac_signature("testsecret", MESSAGE)
    assert refusal(Key(), given(signature)) is None
    assert refusal(Key(), given("00")) is Reason.BAD_SIGNATURE
    assert refusal(Key(), given(signature, NOW_MS - 9_000)) is Reason.STALE_TIMESTAMP
    assert refusal(Key(expires_ms=NOW_MS), given(signature)) is Reason.UNKNOWN_KEY
    assert refusal(Key(expires_ms=NOW_MS + 1), given(signature)) is None
    assert refusal(Key(ips=("10.0.0.1",)), given(signature)) is Reason.ADDRESS_DENIED


def test_who_cannot_sign_learns_nothing_of_the_key() -> None:
    key = Key(ips=("10.0.0.1",), expires_ms=NOW_MS - 1)
    assert refusal(key, given("00")) is Reason.BAD_SIGNATURE


# -- replays -----------------------------------------------------------------------------------

CLOCKS = (NOW_MS, NOW_MS)


def test_the_same_message_is_refused_the_second_time() -> None:
    guard = ReplayGuard()
    assert guard.refusal(given(), b"a", CLOCKS) is None
    assert guard.refusal(given(), b"b", CLOCKS) is None
    assert guard.refusal(given(), b"a", CLOCKS) is Reason.REPLAYED


def test_a_wider_window_does_not_open_the_guard_again() -> None:
    # The window is no part of what is signed, so whoever copies a request may widen it.
    guard = ReplayGuard()
    assert guard.refusal(given(window_ms=1_000), b"a", CLOCKS) is None
    later = (NOW_MS + 30_000, NOW_MS + 30_000)
    assert guard.refusal(given(window_ms=60_000), b"a", later) is Reason.REPLAYED


def test_another_key_may_send_the_same_bytes() -> None:
    guard = ReplayGuard()
    assert guard.refusal(given(), b"a", CLOCKS) is None
    assert guard.refusal(Credentials("other", NOW_MS, 5_000, ""), b"a", CLOCKS) is None


def test_what_had_to_be_forgotten_too_early_raises_a_floor() -> None:
    guard = ReplayGuard(kept_max=2)
    for number, message in enumerate((b"a", b"b", b"c")):
        assert guard.refusal(given(timestamp_ms=NOW_MS + number), message, CLOCKS) is None
    # "a" was forgotten for "c", so its moment counts as past.
    assert guard.refusal(given(timestamp_ms=NOW_MS), b"a", CLOCKS) is Reason.STALE_TIMESTAMP
    assert guard.refusal(given(timestamp_ms=NOW_MS + 1), b"b", CLOCKS) is Reason.REPLAYED


def test_what_no_window_holds_any_more_is_forgotten_without_a_floor() -> None:
    guard = ReplayGuard(kept_max=2)
    assert guard.refusal(given(), b"a", CLOCKS) is None
    assert guard.refusal(given(), b"b", CLOCKS) is None
    late_ms = NOW_MS + 61_000
    late = (late_ms, late_ms)
    assert guard.refusal(given(timestamp_ms=late_ms), b"c", late) is None
    assert guard.refusal(given(timestamp_ms=late_ms), b"d", late) is None


def test_only_so_many_keys_are_guarded() -> None:
    guard = ReplayGuard(keys_max=1)
    assert guard.refusal(given(), b"a", CLOCKS) is None
    assert guard.refusal(Credentials("other", NOW_MS, 5_000, ""), b"a", CLOCKS) is None
    assert guard.refusal(given(), b"a", CLOCKS) is None


# -- rate limits -------------------------------------------------------------------------------


def test_a_bucket_gives_its_count_at_once_and_refills_with_the_time() -> None:
    limiter = RateLimiter(count=3, per_ms=3_000)  # One a second, three at once.
    assert [limiter.take("a", 0).remaining for _ in range(3)] == [2, 1, 0]
    refused = limiter.take("a", 0)
    assert not refused.allowed
    assert refused.retry_ms == 1_000  # A token is a third of 3,000 ms.
    assert refused.headers() == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "0",
        "Retry-After": "1",
    }
    assert not limiter.take("a", 999).allowed
    assert limiter.take("a", 1_000).allowed


def test_a_refusal_takes_nothing() -> None:
    limiter = RateLimiter(count=3, per_ms=3_000)
    assert not limiter.take("a", 0, cost=4).allowed
    assert limiter.take("a", 0, cost=3).allowed


def test_names_do_not_share_a_bucket_and_a_wall_set_back_fills_none() -> None:
    limiter = RateLimiter(count=1, per_ms=1_000)
    assert limiter.take("a", 5_000).allowed
    assert limiter.take("b", 5_000).allowed
    assert not limiter.take("a", 1_000).allowed
    assert not limiter.take("a", 1_999).allowed
    assert limiter.take("a", 2_000).allowed  # Time went on from where it was set back to.


def test_no_limit_is_no_limit() -> None:
    limiter = RateLimiter(count=0, per_ms=1_000)
    assert all(limiter.take("a", 0).allowed for _ in range(100))


def test_memory_of_names_is_bounded() -> None:
    limiter = RateLimiter(count=1, per_ms=1_000, names_max=2)
    for name in ("a", "b", "c"):
        assert limiter.take(name, 0).allowed
    assert limiter.take("a", 0).allowed  # Forgotten, so full again.
    assert not limiter.take("c", 0).allowed


def test_orders_count_against_the_short_and_the_long_limit() -> None:
    limits = RateLimits(Limits(orders_per_10_seconds=2, orders_per_day=3))
    assert limits.orders(100, 0, 2).allowed
    assert not limits.orders(100, 0).allowed  # The short one: two in ten seconds.
    assert limits.orders(101, 0).allowed
    assert limits.orders(100, 10_000, 1).allowed is False  # The long one counted three already.
