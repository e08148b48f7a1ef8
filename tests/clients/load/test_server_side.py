"""Tests of the exchange's own figures: two readings of /metrics and what lies between."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.load.server_side import Reading, between, read_build, read_metrics, reading_of
from exchange.metrics import Metrics
from exchange.sequencer import Timing
from tests.clients.load.metrics import AFTER, BEFORE


def test_the_figures_between_two_readings() -> None:
    meanwhile = between(reading_of(BEFORE), reading_of(AFTER), 2.0)
    assert meanwhile is not None
    # 390 done, 8 and 2 refused: 400 in 2 s. 200 groups: 2 each; 0.4 s of syncs: 2 ms each.
    assert (meanwhile.commands, meanwhile.commands_per_s) == (400, 200.0)
    assert meanwhile.refused == {"MAX_ORDERS": 2, "UNKNOWN_ORDER": 8}
    assert (meanwhile.groups, meanwhile.commands_per_group) == (200, 2.0)
    assert meanwhile.sync_ms_mean == 2.0
    # 0.04 s in the engine: 100 us of each command, 2 % of the time.
    assert meanwhile.apply_us_per_command == 100.0
    assert meanwhile.engine_share == 0.02
    # 1 s of processor time in 2 s: half a core, 2,500 us for each of 400.
    assert (meanwhile.cpu_share, meanwhile.cpu_us_per_command) == (0.5, 2_500.0)


def test_nothing_happened_is_no_division_by_nought() -> None:
    reading = reading_of(BEFORE)
    meanwhile = between(reading, reading, 2.0)
    assert meanwhile is not None
    assert (meanwhile.commands, meanwhile.commands_per_group, meanwhile.sync_ms_mean) == (0, 0, 0)
    assert meanwhile.refused == {}


@pytest.mark.parametrize(
    ("before", "after", "seconds"), [(None, AFTER, 2), (BEFORE, None, 2), (AFTER, BEFORE, 2)]
)
def test_there_are_none_where_a_reading_lacks_or_the_exchange_began_anew(
    before: str | None, after: str | None, seconds: float
) -> None:
    readings: list[Reading | None] = [t if t is None else reading_of(t) for t in (before, after)]
    assert between(readings[0], readings[1], seconds) is None


def test_what_the_exchange_itself_tells_can_be_read() -> None:
    metrics = Metrics()
    metrics.on_timing(Timing(3, 0.002, 0.0005))
    reading = reading_of(metrics.text().decode())
    assert (reading.groups, reading.grouped) == (1, 3)
    assert reading.sync_s == pytest.approx(0.002)
    assert reading.apply_s == pytest.approx(0.0005)
    assert reading.cpu_s > 0


@pytest.mark.parametrize("text", ["", "<html>", "papertape_commands_total 1"])
def test_what_is_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        reading_of(text)


async def _served(text: str, status: int = 200, path: str = "/metrics") -> TestServer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    app = web.Application()
    app.router.add_get(path, answer)
    server = TestServer(app)
    await server.start_server()
    return server


async def test_metrics_are_read_over_http() -> None:
    server = await _served(AFTER)
    assert await read_metrics(str(server.make_url("")).rstrip("/")) == reading_of(AFTER)
    await server.close()


@pytest.mark.parametrize(("text", "status"), [("gone", 404), ("nonsense", 200)])
async def test_metrics_that_are_not_to_be_had_are_none(text: str, status: int) -> None:
    server = await _served(text, status)
    assert await read_metrics(str(server.make_url("")).rstrip("/")) is None
    await server.close()


async def test_metrics_of_nobody_are_none(unused_tcp_port: int) -> None:
    assert await read_metrics(f"http://127.0.0.1:{unused_tcp_port}") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"status":"ok","version":"0.1.0","build":"pure"}', "0.1.0 pure"),
        ("<html>", ""),
        ("{}", ""),
    ],
)
async def test_which_exchange_it_is_is_asked_of_its_health(text: str, told: str) -> None:
    server = await _served(text, path="/healthz")
    url = str(server.make_url("")).rstrip("/")
    assert await read_build(url) == told
    await server.close()
    assert await read_build(url) == ""
