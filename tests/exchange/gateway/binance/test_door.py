"""The REST door of the dialect: what is not there, too much, or not permitted; and its headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.config import Binance, Config, Server
from exchange.gateway.binance import door
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.door import carried_out, is_dialect, new_dialect, unbroken
from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params
from exchange.gateway.calls import refusal
from matching.reasons import Reason
from tests.exchange.gateway.rig import ADMIN_KEY, running


async def test_an_unknown_path_is_json_and_404(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        answer = await rig.ask("GET", "/sapi/v1/nothing/here")
        assert answer.status == 404
        assert answer.json == {"code": -5000, "msg": "Path GET /sapi/v1/nothing/here is invalid."}
        assert (await rig.ask("PATCH", "/api/v3/ping")).status == 404


async def test_the_weight_used_is_told_in_the_headers(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for used in ("1", "2"):
            answer = await rig.ask("GET", "/api/v3/ping")
            assert answer.headers["X-MBX-USED-WEIGHT-1M"] == used
            assert answer.headers["X-MBX-USED-WEIGHT"] == used


async def test_weights_over_the_limit_are_429_with_a_time_to_wait(tmp_path: Path) -> None:
    binance = Binance(spot_weight_per_minute=2)
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=binance)
    async with running(tmp_path, config=config) as rig:
        statuses = [(await rig.ask("GET", "/api/v3/ping")).status for _ in range(2)]
        assert statuses == [200, 200]
        answer = await rig.ask("GET", "/api/v3/ping")
        assert (answer.status, answer.json["code"]) == (429, -1003)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "3"


async def test_what_is_refused_tells_of_its_weight_too(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for used, target in enumerate(("nothing", "depth?symbol=BTCUSDT&limit=much"), 1):
            answer = await rig.ask("GET", f"/api/v3/{target}")
            assert answer.status in {400, 404}
            assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(used)


@pytest.mark.parametrize("path", ["/api/v3/account", "/sapi/v1/asset/transfer", "/api/v3/nothing"])
async def test_who_cannot_sign_cannot_go_on_trying_for_nothing(tmp_path: Path, path: str) -> None:
    binance = Binance(spot_weight_per_minute=40, margin_weight_per_minute=2)
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=binance)
    async with running(tmp_path, config=config) as rig:
        statuses = {(await rig.ask("POST", path)).status for _ in range(50)}
        got = {(await rig.ask("GET", path)).status for _ in range(3)}
        assert 429 in statuses | got


async def test_the_door_can_be_left_shut(tmp_path: Path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(enabled=False))
    async with running(tmp_path, config=config) as rig:
        answer = await rig.ask("GET", "/api/v3/ping")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_a_fault_is_an_unknown_outcome_and_a_native_refusal_is_translated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(call: Call) -> None:
        """It fails."""
        raise ZeroDivisionError

    async def refuses(call: Call) -> None:
        """It does not want to."""
        raise refusal(Reason.UNKNOWN_SYMBOL)

    async with running(tmp_path) as rig:
        call = Call(dialect=new_dialect(rig.doors), api="api", params=Params(()))
        for handler, code, status in ((breaks, -1000, 503), (refuses, -1121, 400)):
            route = Route(verb="GET", path="/api/v3/x", handler=handler)
            with pytest.raises(BinanceError) as refused:
                await carried_out(route, call)
            assert (refused.value.code, refused.value.status) == (code, status)
    assert "ZeroDivisionError" in caplog.text


def test_a_fault_while_telling_bots_is_logged_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks(groups: object) -> None:
        raise ZeroDivisionError

    unbroken(breaks)([])
    assert "ZeroDivisionError" in caplog.text


def test_its_paths_are_known_by_their_beginnings() -> None:
    assert all(is_dialect(f"{prefix}x") for prefix in door.PREFIXES)
    assert not is_dialect("/v1/time")
    assert not is_dialect("/apiary")
