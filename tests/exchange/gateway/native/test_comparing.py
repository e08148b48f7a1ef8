"""The same stake both ways, over REST and as an operation."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exchange.gateway.native.routes import BY_OP
from exchange.wire import CompareSay
from tests.exchange.gateway.rig import Rig, running


async def test_anybody_may_ask_and_every_amount_is_text(rig: Rig) -> None:
    await rig.set_index("BTC-USDT", "50000")
    answer = await rig.ask("GET", "/v1/compare?base=BTC&stake=1000&leverage=10&side=long&hours=24")
    said = msgspec.convert(answer.json, CompareSay)
    assert (said.env, said.quote, said.price, said.side) == ("paper", "USDT", "50000", "long")
    assert said.perpetual is not None
    assert (said.spot.borrowed, said.spot.borrow_asset) == ("9000", "USDT")
    assert (said.spot.qty, said.perpetual.qty) == ("0.2", "0.198")
    assert (said.spot.interest_per_day, said.spot.funding_rate) == ("2.16", None)
    assert (said.perpetual.funding_each, said.perpetual.fundings) == ("0.99", 3)
    assert (said.perpetual.funding, said.perpetual.borrowed) == ("2.97", None)
    up = next(each for each in said.spot.outcomes if each.move_percent == "5")
    assert (up.price, up.profit, up.return_percent) == ("52500", "476.7605", "47.68")
    down = said.perpetual.outcomes[0]
    assert (down.profit, down.return_percent, down.liquidated) == ("-1000", "-100.00", True)


async def test_without_fields_it_is_a_thousand_at_ten(rig: Rig) -> None:
    await rig.set_index("BTC-USDT", "50000")
    asked = "/v1/compare?base=BTC&stake=1000&leverage=10&side=long&hours=24"
    assert (await rig.ask("GET", "/v1/compare")).json == (await rig.ask("GET", asked)).json


async def test_a_way_that_cannot_be_gone_says_why_and_an_asset_may_have_one(rig: Rig) -> None:
    for base in ("BTC", "ETH"):
        await rig.set_index(f"{base}-USDT", "50000")
    said = (await rig.ask("GET", "/v1/compare?leverage=50")).json
    assert (said["spot"]["accepted"], said["spot"]["reason"]) == (False, "LEVERAGE_OUT_OF_RANGE")
    assert said["spot"]["qty"] is None
    assert said["perpetual"]["accepted"]
    assert (await rig.ask("GET", "/v1/compare?base=ETH")).json["perpetual"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("base=EUR", "UNKNOWN_SYMBOL"),
        ("stake=0", "AMOUNT_NOT_POSITIVE"),
        ("stake=ten", "MALFORMED_NUMBER"),
        ("leverage=0", "FIELD_OUT_OF_RANGE"),
        ("hours=8761", "FIELD_OUT_OF_RANGE"),
        ("side=up", "FIELD_OUT_OF_RANGE"),
        ("horizon=3", "UNKNOWN_FIELD"),
    ],
)
async def test_what_cannot_be_compared_is_refused_by_name(rig: Rig, query: str, code: str) -> None:
    await rig.set_index("BTC-USDT", "50000")
    answer = await rig.ask("GET", f"/v1/compare?{query}")
    assert answer.json["error"]["code"] == code


async def test_before_the_first_price_there_is_nothing_to_compare(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        said = (await rig.ask("GET", "/v1/compare")).json
    assert said["error"]["code"] == "NO_INDEX_PRICE"


async def test_it_is_an_operation_of_the_websocket_too() -> None:
    route = BY_OP["compare.get"]
    assert (route.websocket, route.security, route.mutates) == (True, "public", False)
