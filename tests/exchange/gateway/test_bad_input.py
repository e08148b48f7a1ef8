"""Malformed, oversized, hostile and mistimed input: a clear error each, and nothing changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from exchange.gateway import auth
from tests.exchange.gateway.rig import ADMIN_KEY, Answer, Rig, Trader, as_json, running

GOOD_ORDER = {
    "symbol": "BTC-USDT",
    "side": "buy",
    "type": "limit",
    "qty": "0.01",
    "price": "50000",
}


@pytest_asyncio.fixture
async def rig(tmp_path) -> AsyncIterator[Rig]:
    async with running(tmp_path) as found:
        await found.set_index("BTC-USDT", "50000")
        yield found


@pytest_asyncio.fixture
async def trader(rig: Rig) -> Trader:
    return await rig.open_account()


@dataclass
class Case:
    """A request, and how it is refused."""

    name: str
    status: int
    code: str
    method: str = "POST"
    target: str = "/v1/orders"
    body: Any = None
    changed: dict[str, Any] = field(default_factory=dict)

    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if self.body is not None:
            return as_json(self.body)
        if self.method == "POST":
            fields = {**GOOD_ORDER, **self.changed}
            return as_json({name: value for name, value in fields.items() if value is not None})
        return b""


SIGNED_CASES = [
    Case("no JSON", 400, "MALFORMED_REQUEST", body=b"{"),
    Case("no object", 400, "MALFORMED_REQUEST", body=b"[]"),
    Case("no UTF-8", 400, "MALFORMED_REQUEST", body=b'{"symbol":"\xff"}'),
    Case("nothing", 400, "MISSING_FIELD", body=b""),
    Case("too deep", 400, "MALFORMED_REQUEST", target="/v1/orders/batch",
         body=b'{"orders":[{"a":' + b"[" * 9_000),
    Case("form data", 400, "MALFORMED_REQUEST", body=b"symbol=BTC-USDT&side=buy"),
    Case("unknown field", 400, "UNKNOWN_FIELD", changed={"stopPrice": "1"}),
    Case("unknown symbol", 404, "UNKNOWN_SYMBOL", changed={"symbol": "BTC-MOON"}),
    Case("symbol of markup", 404, "UNKNOWN_SYMBOL", changed={"symbol": "<script>"}),
    Case("long symbol", 400, "FIELD_OUT_OF_RANGE", changed={"symbol": "B" * 25}),
    Case("missing side", 400, "MISSING_FIELD", changed={"side": None}),
    Case("side of another case", 400, "FIELD_OUT_OF_RANGE", changed={"side": "BUY"}),
    Case("type of another venue", 400, "FIELD_OUT_OF_RANGE", changed={"type": "STOP_MARKET"}),
    Case("leg of spot", 400, "COMBINATION_NOT_ALLOWED", changed={"position_side": "long"}),
    Case("unknown leg", 400, "FIELD_OUT_OF_RANGE", changed={"position_side": "BOTH"}),
    Case("number instead of text", 400, "MALFORMED_REQUEST", changed={"qty": 0.01}),
    Case("list instead of text", 400, "MALFORMED_REQUEST", changed={"qty": ["0.01"]}),
    Case("negative quantity", 400, "MALFORMED_NUMBER", changed={"qty": "-0.01"}),
    Case("no quantity", 400, "QTY_OUT_OF_RANGE", changed={"qty": "0"}),
    Case("huge quantity", 400, "QTY_OUT_OF_RANGE", changed={"qty": "9" * 40}),
    Case("endless quantity", 400, "FIELD_OUT_OF_RANGE", changed={"qty": "9" * 41}),
    Case("too precise quantity", 400, "QTY_NOT_ON_LOT", changed={"qty": "0.000001"}),
    Case("too precise price", 400, "PRICE_NOT_ON_TICK", changed={"price": "50000.001"}),
    Case("exponent", 400, "MALFORMED_NUMBER", changed={"price": "5e4"}),
    Case("not a number", 400, "MALFORMED_NUMBER", changed={"price": "NaN"}),
    Case("infinity", 400, "MALFORMED_NUMBER", changed={"price": "Infinity"}),
    Case("hexadecimal", 400, "MALFORMED_NUMBER", changed={"price": "0x10"}),
    Case("foreign digits", 400, "MALFORMED_NUMBER", changed={"price": "\u0665"}),
    Case("spaces", 400, "MALFORMED_NUMBER", changed={"price": " 50000"}),
    Case("limit without price", 400, "PRICE_MISSING", changed={"price": None}),
    Case("market with price", 400, "PRICE_NOT_ALLOWED", changed={"type": "market"}),
    Case("GTD without moment", 400, "EXPIRY_MISSING", changed={"tif": "GTD"}),
    Case("GTD in the past", 400, "EXPIRY_IN_PAST", changed={"tif": "GTD", "expire_ms": 1}),
    Case("negative moment", 400, "FIELD_OUT_OF_RANGE", changed={"expire_ms": -1}),
    Case("post-only that takes", 400, "COMBINATION_NOT_ALLOWED",
         changed={"post_only": True, "tif": "IOC"}),
    Case("too small", 400, "NOTIONAL_TOO_SMALL", changed={"qty": "0.00001", "price": "49000"}),
    Case("far from the market", 400, "PERCENT_PRICE", changed={"price": "100000"}),
    Case("more than there is", 400, "INSUFFICIENT_BALANCE", changed={"qty": "3"}),
    Case("bad client id", 400, "FIELD_OUT_OF_RANGE", changed={"client_id": "a\nb"}),
    Case("long client id", 400, "FIELD_OUT_OF_RANGE", changed={"client_id": "a" * 37}),
    Case("leverage of nothing", 400, "FIELD_OUT_OF_RANGE",
         changed={"symbol": "BTC-USDT-PERP", "leverage": 0}),
    Case("query beside the body", 400, "UNKNOWN_FIELD", target="/v1/orders?symbol=BTC-USDT"),
    Case("body beside a query", 400, "MALFORMED_REQUEST", "GET", "/v1/orders", b"{}"),
    Case("repeated query", 400, "MALFORMED_REQUEST", "GET", "/v1/orders?limit=1&limit=2"),
    Case("huge limit", 400, "FIELD_OUT_OF_RANGE", "GET", "/v1/orders?limit=1001"),
    Case("unknown order", 404, "UNKNOWN_ORDER", "GET", "/v1/orders/999999"),
    Case("order of no name", 400, "FIELD_OUT_OF_RANGE", "GET", "/v1/orders/abc"),
    Case("cancel of nothing", 404, "UNKNOWN_ORDER", "DELETE", "/v1/orders/999999"),
    Case("cancel by unknown client id", 404, "UNKNOWN_ORDER", "DELETE", "/v1/orders/client:x"),
    Case("amend of nothing", 404, "UNKNOWN_ORDER", "PATCH", "/v1/orders/999999", {"qty": "1"}),
    Case("amend without a change", 404, "UNKNOWN_ORDER", "PATCH", "/v1/orders/999999", {}),
    Case("faucet of an unknown asset", 400, "UNKNOWN_ASSET", target="/v1/faucet",
         body={"wallet": "spot", "asset": "MOON", "amount": "1"}),
    Case("faucet of an unknown wallet", 400, "UNKNOWN_WALLET", target="/v1/faucet",
         body={"wallet": "pocket", "asset": "USDT", "amount": "1"}),
    Case("faucet without end", 400, "AMOUNT_TOO_LARGE", target="/v1/faucet",
         body={"wallet": "spot", "asset": "USDT", "amount": "1" + "0" * 20}),
    Case("faucet backwards", 400, "AMOUNT_NOT_POSITIVE", target="/v1/faucet",
         body={"wallet": "spot", "asset": "USDT", "amount": "-1"}),
    Case("faucet of dust", 400, "AMOUNT_TOO_FINE", target="/v1/faucet",
         body={"wallet": "spot", "asset": "USDT", "amount": "0.000000001"}),
    Case("transfer to itself", 400, "SAME_WALLET", target="/v1/transfers",
         body={"from": "spot", "to": "spot", "asset": "USDT", "amount": "1"}),
    Case("transfer of too much", 400, "INSUFFICIENT_BALANCE", target="/v1/transfers",
         body={"from": "spot", "to": "perp", "asset": "USDT", "amount": "100001"}),
    Case("loan without collateral", 400, "COLLATERAL_TOO_LOW", target="/v1/loans",
         body={"wallet": "margin", "asset": "USDT", "amount": "1"}),
    Case("repayment of nothing", 400, "NOTHING_OWED", target="/v1/loans/repay",
         body={"wallet": "margin", "asset": "USDT"}),
    Case("setting of nothing", 400, "MISSING_FIELD", "PUT", "/v1/settings", {}),
    Case("leverage on spot", 400, "MODE_NOT_ALLOWED", "PUT", "/v1/settings",
         {"leverage": {"symbol": "BTC-USDT", "leverage": 3}}),
    Case("four times", 400, "FIELD_OUT_OF_RANGE", "PUT", "/v1/settings",
         {"margin_leverage": {"leverage": 4}}),
    Case("empty batch", 400, "FIELD_OUT_OF_RANGE", target="/v1/orders/batch", body={"orders": []}),
    Case("large batch", 400, "BATCH_TOO_LARGE", target="/v1/orders/batch",
         body={"orders": [GOOD_ORDER] * 51}),
    Case("key of no use", 400, "FIELD_OUT_OF_RANGE", target="/v1/keys", body={"permissions": []}),
    Case("key for withdrawals", 400, "FIELD_OUT_OF_RANGE", target="/v1/keys",
         body={"permissions": ["withdraw"]}),
    Case("key that is none", 400, "FIELD_OUT_OF_RANGE", target="/v1/keys",
         body={"public_key": "hello"}),
    Case("key from nowhere", 400, "FIELD_OUT_OF_RANGE", target="/v1/keys",
         body={"ips": ["example"]}),
    Case("revocation of another's", 404, "NOT_FOUND", "DELETE", "/v1/keys?api_key=abc"),
    Case("fills of no symbol", 400, "MISSING_FIELD", "GET", "/v1/fills?before_id=5"),
]  # fmt: skip


def keeps_nothing(rig: Rig) -> tuple[str, int]:
    return rig.digest(), len(rig.doors.keys.list())


@pytest.mark.parametrize("case", SIGNED_CASES, ids=lambda case: case.name)
async def test_a_bad_request_is_refused_and_changes_nothing(
    rig: Rig, trader: Trader, case: Case
) -> None:
    before = keeps_nothing(rig)
    answer = await trader.ask(case.method, case.target, case.raw())
    assert (answer.status, answer.code) == (case.status, case.code)
    assert keeps_nothing(rig) == before


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/v2/orders", 404, "NOT_FOUND"),
        ("GET", "/../../etc/passwd", 404, "NOT_FOUND"),
        ("GET", "/web/..%2f..%2fetc%2fpasswd", 404, "NOT_FOUND"),
        ("GET", "/web/index.html", 404, "NOT_FOUND"),
        ("POST", "/v1/time", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", "/v1/orders", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/book/MOON-USDT", 404, "UNKNOWN_SYMBOL"),
        ("GET", "/v1/book/BTC-USDT?limit=0", 400, "FIELD_OUT_OF_RANGE"),
        ("GET", "/v1/book/BTC-USDT?levels=5", 400, "UNKNOWN_FIELD"),
        ("GET", "/v1/book/BTC-USDT?symbol=ETH-USDT", 400, "UNKNOWN_FIELD"),
        ("GET", "/v1/candles/BTC-USDT?interval=7m", 400, "FIELD_OUT_OF_RANGE"),
        ("GET", "/v1/candles/BTC-USDT?start_ms=-1", 400, "FIELD_OUT_OF_RANGE"),
        ("GET", "/v1/trades/BTC-USDT?before_id=0", 400, "FIELD_OUT_OF_RANGE"),
        ("GET", "/v1/time?" + "a" * 2_100, 413, "TOO_LARGE"),
    ],
)
async def test_an_address_that_is_none_is_answered_in_json(
    rig: Rig, method: str, target: str, status: int, code: str
) -> None:
    answer = await rig.ask(method, target, headers={"Accept": "text/html"})
    assert (answer.status, answer.code) == (status, code)


# -- signatures --------------------------------------------------------------------------------

BODY = as_json(GOOD_ORDER)


async def sent(rig: Rig, headers: dict[str, str], body: bytes = BODY) -> Answer:
    return await rig.ask("POST", "/v1/orders", body, headers=headers)


async def test_a_request_without_a_signature_is_refused(rig: Rig, trader: Trader) -> None:
    before = rig.digest()
    full = trader.headers("POST", "/v1/orders", BODY)
    for name in full:
        headers = {other: value for other, value in full.items() if other != name}
        answer = await sent(rig, headers)
        assert (answer.status, answer.code) == (401, "NOT_AUTHENTICATED")
        assert auth.SIGNATURE_HEADER in answer.json["error"]["message"]
    assert rig.digest() == before


async def test_a_signature_of_something_else_is_refused(rig: Rig, trader: Trader) -> None:
    before = rig.digest()
    full = trader.headers("POST", "/v1/orders", BODY)
    stranger = Trader(rig, trader.account_id, trader.key, "another secret")
    for headers, body in (
        (full, BODY + b" "),
        (trader.headers("PUT", "/v1/orders", BODY), BODY),
        (trader.headers("POST", "/v1/orders?a=b", BODY), BODY),
        (stranger.headers("POST", "/v1/orders", BODY), BODY),
        (full | {auth.SIGNATURE_HEADER: full[auth.SIGNATURE_HEADER].upper()}, BODY),
        (full | {auth.SIGNATURE_HEADER: "%%%"}, BODY),
    ):
        answer = await sent(rig, headers, body)
        assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")
    assert rig.digest() == before


async def test_an_unknown_and_a_revoked_key_are_refused(rig: Rig, trader: Trader) -> None:
    nobody = Trader(rig, 0, "0" * 64, trader.secret)
    answer = await nobody.ask("POST", "/v1/orders", GOOD_ORDER)
    assert (answer.status, answer.code) == (401, "UNKNOWN_KEY")
    rig.doors.keys.revoke(trader.key)
    answer = await trader.ask("POST", "/v1/orders", GOOD_ORDER)
    assert (answer.status, answer.code) == (401, "UNKNOWN_KEY")


async def test_an_old_an_early_and_a_wrong_timestamp_are_refused(rig: Rig, trader: Trader) -> None:
    before = rig.digest()
    now_ms = rig.doors.clock.wall_ms()
    for timestamp_ms in (now_ms - 6_000, now_ms + 5_000, 0, now_ms // 1_000):
        headers = trader.headers("POST", "/v1/orders", BODY, timestamp_ms=timestamp_ms)
        answer = await sent(rig, headers)
        assert (answer.status, answer.code) == (401, "STALE_TIMESTAMP")
        assert "wall_time" in answer.json["error"]["details"]
    headers = trader.headers("POST", "/v1/orders", BODY, window_ms=60_001)
    assert (await sent(rig, headers)).code == "FIELD_OUT_OF_RANGE"
    assert rig.digest() == before


async def test_a_timestamp_of_exchange_time_is_accepted_too(rig: Rig, trader: Trader) -> None:
    headers = trader.headers("POST", "/v1/orders", BODY, timestamp_ms=rig.doors.clock.now_ms())
    assert (await sent(rig, headers)).status == 201


async def test_a_wider_window_takes_an_older_request(rig: Rig, trader: Trader) -> None:
    old_ms = rig.doors.clock.wall_ms() - 30_000
    headers = trader.headers("POST", "/v1/orders", BODY, timestamp_ms=old_ms, window_ms=60_000)
    assert (await sent(rig, headers)).status == 201


async def test_the_same_signed_request_is_done_once(rig: Rig, trader: Trader) -> None:
    headers = trader.headers("POST", "/v1/orders", BODY)
    assert (await sent(rig, headers)).status == 201
    before = rig.digest()
    answer = await sent(rig, headers)
    assert (answer.status, answer.code) == (409, "REPLAYED")
    assert rig.digest() == before


async def test_with_a_client_id_the_same_request_answers_the_first_result(
    rig: Rig, trader: Trader
) -> None:
    body = as_json(GOOD_ORDER | {"client_id": "mine"})
    headers = trader.headers("POST", "/v1/orders", body)
    first = (await sent(rig, headers, body)).json
    before = rig.digest()
    second = (await sent(rig, headers, body)).json
    assert second["order"]["order_id"] == first["order"]["order_id"]
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert rig.digest() == before


async def test_a_client_id_with_other_content_is_refused(rig: Rig, trader: Trader) -> None:
    first = await trader.ask("POST", "/v1/orders", GOOD_ORDER | {"client_id": "mine"})
    assert first.status == 201
    before = rig.digest()
    other = GOOD_ORDER | {"client_id": "mine", "qty": "0.02"}
    answer = await trader.ask("POST", "/v1/orders", other)
    assert (answer.status, answer.code) == (409, "DUPLICATE_ID")
    assert rig.digest() == before


async def test_a_question_may_be_asked_twice(rig: Rig, trader: Trader) -> None:
    headers = trader.headers("GET", "/v1/orders")
    for _ in range(2):
        assert (await rig.ask("GET", "/v1/orders", headers=headers)).status == 200


async def test_a_key_does_only_what_it_may(rig: Rig, trader: Trader) -> None:
    made = await trader.ask("POST", "/v1/keys", {"permissions": ["read"]})
    assert made.status == 201
    reader = Trader(rig, trader.account_id, made.json["api_key"], made.json["api_secret"])
    assert (await reader.ask("GET", "/v1/orders")).status == 200
    before = keeps_nothing(rig)
    for method, target, body in (
        ("POST", "/v1/orders", GOOD_ORDER),
        ("DELETE", "/v1/orders", None),
        ("POST", "/v1/faucet", {"wallet": "spot", "asset": "USDT", "amount": "1"}),
        ("POST", "/v1/keys", {"permissions": ["read"]}),
        ("DELETE", f"/v1/keys?api_key={trader.key}", None),
    ):
        answer = await reader.ask(method, target, body)
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    assert keeps_nothing(rig) == before


async def test_a_key_works_only_from_its_addresses(rig: Rig, trader: Trader) -> None:
    made = await trader.ask("POST", "/v1/keys", {"ips": ["10.1.2.3"]})
    elsewhere = Trader(rig, trader.account_id, made.json["api_key"], made.json["api_secret"])
    answer = await elsewhere.ask("GET", "/v1/account")
    assert (answer.status, answer.code) == (403, "ADDRESS_DENIED")


# -- sizes, hosts, pages, the administrator -----------------------------------------------------


async def test_an_oversize_body_is_refused(rig: Rig, trader: Trader) -> None:
    before = rig.digest()
    body = as_json(GOOD_ORDER | {"client_id": "a" * 70_000})
    answer = await trader.ask("POST", "/v1/orders", body)
    assert (answer.status, answer.code) == (413, "TOO_LARGE")
    assert rig.digest() == before


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example"}, "UNKNOWN_HOST"),
        ({"Origin": "http://evil.example"}, "CROSS_SITE"),
        ({"Origin": "null"}, "CROSS_SITE"),
        ({"Sec-Fetch-Site": "cross-site"}, "CROSS_SITE"),
    ],
)
@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/v1/accounts"), ("GET", "/v1/ws"), ("GET", "/metrics")]
)
async def test_a_foreign_host_or_page_is_refused(
    rig: Rig, method: str, target: str, headers: dict[str, str], code: str
) -> None:
    before = keeps_nothing(rig)
    answer = await rig.ask(method, target, headers=headers)
    assert (answer.status, answer.code) == (403, code)
    assert keeps_nothing(rig) == before


@pytest.mark.parametrize("key", ["", "wrong", ADMIN_KEY + "x", ADMIN_KEY[:-1], "ä"])
async def test_without_the_admin_key_nothing_of_the_administrator_is_done(
    rig: Rig, key: str
) -> None:
    before = rig.digest()
    for method, target, body in (
        ("PUT", "/v1/admin/index/BTC-USDT", {"price": "1"}),
        ("POST", "/v1/admin/clock", {"step_ms": 1_000}),
        ("POST", "/v1/admin/symbols/BTC-USDT/state", {"state": "halt"}),
    ):
        headers = {auth.ADMIN_HEADER: key} if key else {}
        answer = await rig.ask(method, target, body, headers=headers)
        assert (answer.status, answer.code) == (401, "ADMIN_KEY_NEEDED")
    assert rig.digest() == before


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("PUT", "/v1/admin/index/BTC", {"price": "1"}, 404, "UNKNOWN_SYMBOL"),
        ("PUT", "/v1/admin/index/MOON-USDT", {"price": "1"}, 404, "UNKNOWN_SYMBOL"),
        ("PUT", "/v1/admin/index/BTC-USDT", {"price": "0"}, 400, "AMOUNT_NOT_POSITIVE"),
        ("PUT", "/v1/admin/index/BTC-USDT", {"price": "1e3"}, 400, "MALFORMED_NUMBER"),
        ("PUT", "/v1/admin/index/BTC-USDT", {"price": 5}, 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/admin/clock", {}, 400, "MISSING_FIELD"),
        ("POST", "/v1/admin/clock", {"step_ms": 0}, 400, "FIELD_OUT_OF_RANGE"),
        ("POST", "/v1/admin/clock", {"speed": 2}, 409, "NOT_ALLOWED_NOW"),
        ("POST", "/v1/admin/symbols/MOON/state", {"state": "halt"}, 404, "UNKNOWN_SYMBOL"),
        ("POST", "/v1/admin/symbols/BTC-USDT/state", {"state": "off"}, 400, "FIELD_OUT_OF_RANGE"),
    ],
)
async def test_the_administrator_may_err_too(
    rig: Rig, method: str, target: str, body: Any, status: int, code: str
) -> None:
    before = rig.digest()
    answer = await rig.ask(method, target, body, headers={auth.ADMIN_HEADER: ADMIN_KEY})
    assert (answer.status, answer.code) == (status, code)
    assert rig.digest() == before
