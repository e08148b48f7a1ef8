"""Tests of wishes: what the wire is asked, from numbers and options by name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clients.wishes import batch_item, exit_at, fresh_id, identified, order
from exchange import wire


def test_an_order_with_a_price_is_a_limit_and_without_one_a_market_order() -> None:
    assert order("BTC-USDT", "buy", Decimal("0.5")) == wire.OrderAsk(
        "BTC-USDT", "buy", "market", qty="0.5"
    )
    assert order("BTC-USDT", "sell", 1, price="100.5").type == "limit"


def test_an_option_the_wire_does_not_know_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="leveridge"):
        order("BTC-USDT", "buy", 1, leveridge=5)


def test_an_exit_is_a_price_or_all_of_what_the_wire_takes() -> None:
    loss = exit_at(90, price=Decimal("89.5"), trigger="mark")
    asked = order("BTC-USDT-PERP", "buy", 1, take_profit=120, stop_loss=loss)
    assert asked.take_profit == wire.ExitAsk("120")
    assert asked.stop_loss == loss == wire.ExitAsk("90", "89.5", "mark")


def test_a_wish_of_a_batch_has_the_name_of_its_operation() -> None:
    placed = batch_item(order("BTC-USDT", "buy", 1))
    assert isinstance(placed, wire.BatchPlace)
    assert placed.client_id
    assert isinstance(batch_item(wire.AmendAsk(1, price="99")), wire.BatchAmend)
    assert isinstance(batch_item(wire.OrderKey(1)), wire.BatchCancel)


def test_a_client_id_of_one_s_own_stays() -> None:
    mine = order("BTC-USDT", "buy", 1, client_id="mine")
    assert identified(mine) is mine
    assert identified(order("BTC-USDT", "buy", 1)).client_id
    assert fresh_id() != fresh_id()
