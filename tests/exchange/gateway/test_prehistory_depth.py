"""The past before the first moment is as deep as indicators need, through both doors.

Enough time has passed that memory has forgotten most of it (DESIGN, section 5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from exchange.bounds import CANDLES_KEPT
from exchange.server import Running, start
from exchange.wire import INTERVALS_MS
from tests.exchange.test_server import START_MS, config

HOUR_MS = 3_600_000
LIVED_MS = 40 * HOUR_MS  # 2,400 minutes: more than memory keeps of any interval's candles.
CANDLES, TRADES, FUNDINGS = 1_000, 1_200, 900
PAIRS = {"spot": "BTC-USDT", "um": "BTC-USDT-PERP", "cm": "BTC-USD-PERP"}
NAMES = {"spot": "BTCUSDT", "um": "BTCUSDT", "cm": "BTCUSD_PERP"}
PATHS = {"spot": "/api/v3", "um": "/fapi/v1", "cm": "/dapi/v1"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Asker:
    """Asks a running exchange by HTTP."""

    def __init__(self, made: Running, http: aiohttp.ClientSession) -> None:
        self.made = made
        self._http = http

    async def get(self, path: str, **fields: Any) -> Any:
        params = {name: str(value) for name, value in fields.items()}
        async with self._http.get(self.made.url + path, params=params) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return said

    async def binance(self, product: str, name: str, **fields: Any) -> Any:
        symbol = NAMES[product]
        return await self.get(f"{PATHS[product]}/{name}", symbol=symbol, **fields)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asker]:
    folder = tmp_path_factory.mktemp("deep")
    made = await start(config(folder, symbols=tuple(PAIRS.values())))
    await made.doors.sequencer.step(LIVED_MS)
    assert await made.doors.history.caught_up(60.0)
    async with aiohttp.ClientSession() as http:
        yield Asker(made, http)
    await made.stop()


async def paged(asker: Asker, product: str, interval: str, start_ms: int) -> list[list[Any]]:
    """All candles from a moment on, asked for page by page as clients do."""
    found: list[list[Any]] = []
    while True:
        fields = {"interval": interval, "startTime": start_ms, "limit": 700}
        page = await asker.binance(product, "klines", **fields, endTime=START_MS + LIVED_MS)
        found += page
        if len(page) < 700:
            return found
        start_ms = page[-1][6] + 1


@pytest.mark.parametrize("product", ["spot", "um", "cm"])
@pytest.mark.parametrize("interval", list(INTERVALS_MS))
async def test_a_thousand_candles_without_holes_lie_before_the_first_moment(
    asker: Asker, product: str, interval: str
) -> None:
    step_ms = INTERVALS_MS[interval]
    cut_ms, now_ms = START_MS // step_ms * step_ms, START_MS + LIVED_MS
    begin_ms = cut_ms - CANDLES * step_ms
    found = await paged(asker, product, interval, begin_ms)
    assert [row[0] for row in found] == list(range(begin_ms, now_ms + 1, step_ms))
    assert all(int(row[8]) > 0 for row in found[:CANDLES])
    # Each goes on where the one before ended, also where memory, file and made-up past meet.
    for before, after in pairwise(found):
        assert abs(float(after[1]) / float(before[4]) - 1) < 0.02
    # The native door tells the same: asked backwards, page by page.
    native: list[dict[str, Any]] = []
    end_ms = now_ms
    while len(native) < len(found):
        path = f"/v1/candles/{PAIRS[product]}"
        page = await asker.get(path, interval=interval, end_ms=end_ms, limit=1_000)
        native[:0] = page
        end_ms = page[0]["open_time"] - 1
    native = native[-len(found) :]
    assert [each["open_time"] for each in native] == [row[0] for row in found]
    for each, row in zip(native, found, strict=True):
        assert [float(each[name]) for name in ("open", "high", "low", "close", "volume")] == [
            float(text) for text in row[1:6]
        ]


async def test_memory_alone_would_not_reach_that_far(asker: Asker) -> None:
    (oldest,) = asker.made.doors.board.candles.get("BTC-USDT", "1m", 0, None, 1)
    assert oldest.open_ms > START_MS
    assert LIVED_MS // INTERVALS_MS["1m"] > CANDLES_KEPT


async def test_the_oldest_candle_is_found_by_asking_from_the_epoch(asker: Asker) -> None:
    for product in PATHS:
        fields = {"interval": "1h", "startTime": 0, "limit": 1}
        (row,) = await asker.binance(product, "klines", **fields)
        assert row[0] < START_MS - 1_000 * 24 * HOUR_MS


@pytest.mark.parametrize("name", ["markPriceKlines", "indexPriceKlines"])
async def test_marks_and_indexes_have_a_past_too(asker: Asker, name: str) -> None:
    minute_ms = INTERVALS_MS["1m"]
    begin_ms = START_MS // minute_ms * minute_ms - 500 * minute_ms
    fields = {"interval": "1m", "startTime": begin_ms, "limit": 1_000, "pair": "BTCUSDT"}
    rows = await asker.binance("um", name, **fields)
    assert [row[0] for row in rows] == [begin_ms + n * minute_ms for n in range(1_000)]


@pytest.mark.parametrize("product", ["spot", "um", "cm"])
async def test_the_trades_of_the_last_hours_are_there_by_id_and_time(
    asker: Asker, product: str
) -> None:
    from_id, ids = 1, []
    while page := await asker.binance(product, "aggTrades", fromId=from_id, limit=1_000):
        assert all(START_MS - 4 * HOUR_MS <= each["T"] <= START_MS for each in page)
        ids += [each["a"] for each in page]
        from_id = ids[-1] + 1
    assert ids == list(range(1, TRADES + 1))
    first = (await asker.binance(product, "aggTrades", startTime=0, limit=1))[0]
    assert first["a"] == 1
    native: list[int] = []
    before_id = TRADES + 1
    while before_id > 1:
        path = f"/v1/trades/{PAIRS[product]}"
        page = await asker.get(path, before_id=before_id, limit=1_000)
        native += [each["trade_id"] for each in page]
        before_id = native[-1]
    assert native == list(range(TRADES, 0, -1))


@pytest.mark.parametrize("product", ["um", "cm"])
async def test_nine_hundred_rates_of_funding_are_there(asker: Asker, product: str) -> None:
    interval_ms = 8 * HOUR_MS
    times: list[int] = []
    start_ms = 0
    while page := await asker.binance(product, "fundingRate", startTime=start_ms, limit=400):
        times += [each["fundingTime"] for each in page]
        start_ms = times[-1] + 1
    next_ms = -(-START_MS // interval_ms) * interval_ms
    assert times == list(
        range(next_ms - FUNDINGS * interval_ms, START_MS + LIVED_MS + 1, interval_ms)
    )
    native: list[int] = []
    before_ms = START_MS + LIVED_MS + 1
    while page := await asker.get(
        f"/v1/funding/{PAIRS[product]}", before_ms=before_ms, limit=1_000
    ):
        native += [each["time"] for each in page]
        before_ms = native[-1]
    assert native == times[::-1]
