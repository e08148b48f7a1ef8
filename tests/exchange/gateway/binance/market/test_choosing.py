"""Which instruments a question names, and whether its answer is an object or a list."""

from __future__ import annotations

from exchange.gateway.binance.calls import Route
from exchange.gateway.binance.market import books
from exchange.gateway.binance.params import Params
from tests.exchange.gateway.binance.market.conftest import Market

PATH = "/ticker/price"


async def test_one_is_an_object_and_some_are_a_list(market: Market) -> None:
    assert (await market.get(f"/api/v3{PATH}?symbol=ETHUSDT"))["symbol"] == "ETHUSDT"
    some = await market.get(f"/api/v3{PATH}?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D")
    assert [each["symbol"] for each in some] == ["ETHUSDT", "BTCUSDT"]
    assert len(await market.get(f"/api/v3{PATH}")) == 2
    assert await market.code(f"/api/v3{PATH}?symbols=%5B1%5D") == -1102


async def test_coin_m_answers_lists_and_knows_pairs(market: Market) -> None:
    for question in ("symbol=BTCUSD_PERP", "pair=BTCUSD", ""):
        (said,) = await market.get(f"/dapi/v1{PATH}?{question}")
        assert said["symbol"] == "BTCUSD_PERP"
    assert await market.code(f"/dapi/v1{PATH}?symbol=BTCUSD_PERP&pair=BTCUSD") == -1128
    assert await market.code(f"/dapi/v1{PATH}?pair=ETHUSD") == -1121


def test_all_weigh_more_than_one() -> None:
    def weight(route: Route, *pairs: tuple[str, str]) -> int:
        return route.weigh(Params(pairs))

    best = next(route for route in books.ROUTES if route.path == "/fapi/v1/ticker/bookTicker")
    assert (weight(best, ("symbol", "BTCUSDT")), weight(best)) == (2, 5)
