"""Numbers and client ids that cannot be read, or lie off the grid, are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.spot.numbers import (
    DRAWN_LENGTH,
    amount,
    client_id,
    lots,
    sent_id,
    ticks,
)
from tests.exchange.events_by_hand import SPOT
from tests.exchange.gateway.binance.spot.spot_scene import refused, two_bots

FILTERS = {"PRICE_FILTER": ("0.001", "99999999999"), "LOT_SIZE": ("0.0000005", "99999999999")}


def test_prices_and_quantities_become_ticks_and_lots() -> None:
    params = Params([("price", "49000.50"), ("quantity", "0.0100")])
    assert ticks(params, "price", SPOT) == 4_900_050  # Of 0.01.
    assert lots(params, "quantity", SPOT) == 1_000  # Of 0.00001.
    assert ticks(params, "stopPrice", SPOT) == lots(params, "icebergQty", SPOT) == 0


@pytest.mark.parametrize(
    ("text", "code"), [("1e-5", -1100), ("-1", -1100), ("x", -1100), ("0.000000001", -1111)]
)
def test_text_that_is_no_number_and_one_too_fine_have_their_codes(text: str, code: int) -> None:
    for read in (ticks, lots):
        with pytest.raises(BinanceError) as refusal:
            read(Params([("n", text)]), "n", SPOT)
        assert refusal.value.code == code
    with pytest.raises(BinanceError):
        amount(Params([("n", text)]), "n")


@pytest.mark.parametrize("name", FILTERS)
def test_off_the_grid_and_out_of_range_is_the_filters_failure(name: str) -> None:
    read = ticks if name == "PRICE_FILTER" else lots
    for text in FILTERS[name]:
        with pytest.raises(BinanceError) as refusal:
            read(Params([("n", text)]), "n", SPOT)
        assert (refusal.value.code, refusal.value.msg) == (-1013, f"Filter failure: {name}")


def test_nothing_is_no_price_and_no_quantity() -> None:
    for read, msg in ((ticks, "Invalid price."), (lots, "Invalid quantity.")):
        with pytest.raises(BinanceError, match=msg):
            read(Params([("n", "0.0")]), "n", SPOT)


def test_a_client_id_is_taken_as_sent_or_drawn() -> None:
    assert client_id(Params([("id", "a.B:/_-9")]), "id") == "a.B:/_-9"
    drawn = {client_id(Params([]), "id") for _ in range(100)}
    assert {len(each) for each in drawn} == {DRAWN_LENGTH}
    assert len(drawn) == 100
    for bad in ("a b", "a" * 37, "ä"):
        with pytest.raises(BinanceError) as refusal:
            client_id(Params([("id", bad)]), "id")
        assert refusal.value.code == -1100


async def test_a_list_spans_a_day_at_most(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        span = {"startTime": 0, "endTime": 86_400_001}
        for path in ("allOrders", "myTrades"):
            said = await refused(bot, "GET", f"/api/v3/{path}", symbol="BTCUSDT", **span)
            assert said == (-1127, "More than 24 hours between startTime and endTime.")


def test_an_id_that_was_not_sent_is_drawn_only_where_one_is_needed() -> None:
    sent = Params([("newClientOrderId", "mine")])
    assert (sent_id(sent, "newClientOrderId"), client_id(sent, "newClientOrderId")) == ("mine",) * 2
    assert sent_id(Params([]), "newClientOrderId") == ""
    assert len(client_id(Params([]), "newClientOrderId")) == DRAWN_LENGTH
    with pytest.raises(BinanceError, match="-1100"):
        sent_id(Params([("newClientOrderId", "a b")]), "newClientOrderId")
