"""Perpetuals are listed with precisions that agree with their ticks and lots."""

from __future__ import annotations

import pytest

from tests.exchange.gateway.binance.market.conftest import Market


async def test_a_usd_m_perpetual(market: Market) -> None:
    said = await market.get("/fapi/v1/exchangeInfo")
    (contract,) = said["symbols"]
    assert (contract["symbol"], contract["pair"]) == ("BTCUSDT", "BTCUSDT")
    assert (contract["status"], contract["contractType"]) == ("TRADING", "PERPETUAL")
    assert (contract["marginAsset"], contract["deliveryDate"]) == ("USDT", 4_133_404_800_000)
    # The first bracket: 0.4 % maintenance at a leverage of 125, which needs 0.8 %.
    assert contract["maintMarginPercent"] == "0.4000"
    assert contract["requiredMarginPercent"] == "0.8000"
    assert (contract["liquidationFee"], contract["triggerProtect"]) == ("0.005000", "0.0500")
    filters = {each["filterType"]: each for each in contract["filters"]}
    assert filters["MIN_NOTIONAL"]["notional"] == "5"
    assert filters["MAX_NUM_ORDERS"]["limit"] == 200
    # An order is at most 5 % from the mark.
    assert filters["PERCENT_PRICE"]["multiplierUp"] == "1.0500"
    assert filters["PERCENT_PRICE"]["multiplierDown"] == "0.9500"
    assets = {each["asset"]: each for each in said["assets"]}
    assert assets["USDT"] == {
        "asset": "USDT",
        "marginAvailable": True,
        "autoAssetExchange": "-10000",
    }
    assert said["futuresType"] == "U_MARGINED"


async def test_a_coin_m_perpetual_counts_in_contracts(market: Market) -> None:
    (contract,) = (await market.get("/dapi/v1/exchangeInfo"))["symbols"]
    assert (contract["symbol"], contract["pair"]) == ("BTCUSD_PERP", "BTCUSD")
    assert (contract["contractStatus"], contract["contractSize"]) == ("TRADING", 100)
    assert (contract["marginAsset"], contract["quantityPrecision"]) == ("BTC", 0)
    assert "status" not in contract
    assert "MIN_NOTIONAL" not in {each["filterType"] for each in contract["filters"]}


@pytest.mark.parametrize("api", ["fapi", "dapi"])
async def test_precisions_are_those_of_tick_and_step(market: Market, api: str) -> None:
    (contract,) = (await market.get(f"/{api}/v1/exchangeInfo"))["symbols"]
    filters = {each["filterType"]: each for each in contract["filters"]}
    for text, precision in (
        (filters["PRICE_FILTER"]["tickSize"], contract["pricePrecision"]),
        (filters["LOT_SIZE"]["stepSize"], contract["quantityPrecision"]),
    ):
        assert len(text.partition(".")[2]) == precision
