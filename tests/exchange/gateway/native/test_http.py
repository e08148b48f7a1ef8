"""The HTTP door: what every answer carries, who may open accounts, limits, health."""

from __future__ import annotations

import json

import aiohttp
import pytest

from exchange.config import Config, Limits, Server
from exchange.gateway import auth
from exchange.gateway.native.api import OPERATIONS
from exchange.gateway.native.fields import as_ask
from exchange.gateway.native.http import repeatable
from exchange.gateway.native.routes import BY_OP
from tests.exchange.gateway.rig import ADMIN_KEY, Rig, Trader, running

ADMIN = {auth.ADMIN_HEADER: ADMIN_KEY}


@pytest.mark.parametrize("target", ["/", "/docs", "/v1/time", "/v1/nothing", "/healthz"])
async def test_every_answer_carries_the_security_headers(rig: Rig, target: str) -> None:
    headers = (await rig.ask("GET", target)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Server"] == "papertape"


async def test_the_api_is_kept_by_no_cache(rig: Rig) -> None:
    assert (await rig.ask("GET", "/v1/time")).headers["Cache-Control"] == "no-store"


async def test_health_and_metrics_are_told(rig: Rig, alice: Trader) -> None:
    health = await rig.ask("GET", "/healthz")
    assert health.status == 200
    assert health.json["status"] == "ok"
    assert (await alice.ask("DELETE", "/v1/orders/5")).code == "UNKNOWN_ORDER"
    metrics = (await rig.ask("GET", "/metrics")).body.decode()
    assert 'papertape_requests_total{op="account.open",outcome="done"} 1.0' in metrics
    assert 'papertape_requests_total{op="order.cancel",outcome="UNKNOWN_ORDER"} 1.0' in metrics


async def test_an_exchange_that_does_not_trade_yet_is_unavailable(tmp_path) -> None:
    async with running(tmp_path, health={"status": "starting"}) as rig:
        assert (await rig.ask("GET", "/healthz")).status == 503


async def test_accounts_need_the_admin_key_where_that_is_asked_for(tmp_path) -> None:
    server = Server(admin_key=ADMIN_KEY, require_admin=True)
    async with running(tmp_path, config=Config(server=server)) as rig:
        refused = await rig.ask("POST", "/v1/accounts")
        assert (refused.status, refused.code) == (401, "ADMIN_KEY_NEEDED")
        assert (await rig.ask("POST", "/v1/accounts", headers=ADMIN)).status == 201


async def test_accounts_need_the_admin_key_where_others_reach_the_port(tmp_path) -> None:
    config = Config(server=Server(host="0.0.0.0", admin_key=ADMIN_KEY))
    async with running(tmp_path, config=config) as rig:
        assert (await rig.ask("POST", "/v1/accounts")).code == "ADMIN_KEY_NEEDED"


async def test_an_address_that_asks_too_often_waits(tmp_path) -> None:
    config = Config(limits=Limits(weight_per_minute=2))
    async with running(tmp_path, config=config) as rig:
        first = await rig.ask("GET", "/v1/time")
        assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == (
            "2",
            "1",
        )
        await rig.ask("GET", "/v1/time")
        refused = await rig.ask("GET", "/v1/time")
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert 0 < int(refused.headers["Retry-After"]) <= 30
        assert refused.json["error"]["details"]["retry_ms"] > 0


async def test_orders_and_new_accounts_have_limits_of_their_own(tmp_path) -> None:
    config = Config(limits=Limits(orders_per_10_seconds=2, accounts_per_minute=1))
    async with running(tmp_path, config=config) as rig:
        await rig.set_index("BTC-USDT", "50000")
        alice = await rig.open_account()
        assert (await rig.ask("POST", "/v1/accounts")).code == "RATE_LIMITED"
        for _ in range(2):
            await alice.order("BTC-USDT", "buy", "0.01", price="49000")
        order = {"symbol": "BTC-USDT", "side": "buy", "type": "market", "qty": "0.01"}
        refused = await alice.ask("POST", "/v1/orders/batch", {"orders": [order]})
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert (await alice.ask("DELETE", "/v1/orders")).status == 200  # Leaving is always open.


async def test_a_fault_of_ours_is_logged_and_tells_nothing(rig: Rig, monkeypatch, caplog) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setitem(OPERATIONS, "time.get", broken)
    answer = await rig.ask("GET", "/v1/time")
    assert (answer.status, answer.code) == (500, "INTERNAL")
    assert b"secret" not in answer.body
    assert "secret inside" in caplog.text


async def test_a_client_id_may_hold_what_a_path_may_not(rig: Rig, alice: Trader) -> None:
    await alice.order("BTC-USDT", "buy", "0.01", price="49000", client_id="a/b:c")
    found = await alice.ask("GET", "/v1/orders/client:a%2Fb:c")
    assert found.json["client_id"] == "a/b:c"


def test_a_batch_is_safe_to_repeat_where_each_order_is() -> None:
    route = BY_OP["order.batch"]
    one, other = {"client_id": "a"}, {"client_id": "b"}
    assert repeatable(route, as_ask(route, {"orders": [one, other]}))
    assert not repeatable(route, as_ask(route, {"orders": [one, {}]}))
    assert not repeatable(BY_OP["keys.revoke"], as_ask(BY_OP["keys.revoke"], {"api_key": "a"}))


# -- WebSocket, through either port ----------------------------------------------------------


@pytest.mark.usefixtures("both_ports")
async def test_the_websocket_asks_signs_in_and_hears_of_its_orders(rig: Rig, alice: Trader) -> None:
    async with rig.http.ws_connect(rig.sockets + "/v1/ws") as socket:

        async def reply(to: int) -> dict[str, object]:
            while True:
                message = json.loads((await socket.receive(timeout=10)).data)
                if message.get("id") == to:
                    return message

        await socket.send_json({"id": 1, "op": "order.list"})
        refused = await reply(1)
        assert refused["error"]["code"] == "NOT_AUTHENTICATED"  # type: ignore[index]
        stamp = rig.doors.clock.wall_ms()
        message = auth.payload(stamp, "GET", "/v1/ws")
        signed = auth.hmac_signature(alice.secret, message)
        login = {"key": alice.key, "timestamp": stamp, "signature": signed}
        await socket.send_json({"id": 2, "op": "login", **login})
        assert (await reply(2))["ok"] is True
        order = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.01"}
        await socket.send_json({"id": 3, "op": "order.place", **order, "price": "49000"})
        placed = await reply(3)
        assert placed["result"]["order"]["status"] == "new"  # type: ignore[index]
        await socket.send_json({"id": 4, "op": "admin.clock", "step_ms": 1})
        unknown = await reply(4)
        assert unknown["error"]["code"] == "UNKNOWN_OPERATION"  # type: ignore[index]
    assert len((await alice.ask("GET", "/v1/orders")).json) == 1


@pytest.mark.usefixtures("both_ports")
async def test_a_page_of_another_site_gets_no_websocket(rig: Rig) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await rig.http.ws_connect(rig.sockets + "/v1/ws", headers={"Origin": "http://evil.example"})
    assert caught.value.status == 403
