"""Orders as asked for, as commands."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import BORROW_AND_REPAY, AmendOrder, CancelOrder, Exit, PlaceOrder
from exchange.config import default_venue
from exchange.gateway.calls import ApiError
from exchange.gateway.native.orders import amend_command, cancel_command, place_command
from exchange.wire import AmendAsk, OrderAsk, OrderKey
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TriggerSource
from risk.account import LONG, ONE_WAY, SHORT

VENUE = default_venue(1, 1_700_000_000_000, symbols=["BTC-USDT", "BTC-USDT-PERP"])
INSTRUMENTS = {instrument.symbol: instrument for instrument in VENUE.instruments}

LIMIT = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.5", "price": "50000.01"}
MARKET = {"symbol": "BTC-USDT", "side": "sell", "type": "market", "qty": "0.5"}
PERP = {"symbol": "BTC-USDT-PERP", "side": "buy", "type": "market", "qty": "0.1"}


def command(fields: dict[str, Any], *, isolated: bool = False, **changed: Any) -> PlaceOrder:
    given = {name: value for name, value in {**fields, **changed}.items() if value is not None}
    ask = msgspec.convert(given, OrderAsk)
    return place_command(ask, 100, INSTRUMENTS, isolated=isolated)


def refused(fields: dict[str, Any], *, isolated: bool = False, **changed: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        command(fields, isolated=isolated, **changed)
    return caught.value


def test_a_limit_order_becomes_ticks_and_lots() -> None:
    # The tick is 0.01: 50000.01 is 5,000,001 of them; the lot is 0.00001: 0.5 is 50,000.
    assert command(LIMIT) == PlaceOrder(
        account_id=100,
        symbol="BTC-USDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        lots=50_000,
        price_ticks=5_000_001,
        tif=TimeInForce.GTC,
        wallet="spot",
    )


def test_exits_are_prices_of_the_instrument() -> None:
    gain = {"trigger_price": "55000", "price": "54990.5"}
    asked = command(LIMIT, take_profit=gain, stop_loss={"trigger_price": "48000"})
    assert asked.take_profit == Exit(5_500_000, 5_499_050)
    assert asked.stop_loss == Exit(4_800_000)
    marked = command(PERP, stop_loss={"trigger_price": "48000", "trigger": "mark"})
    assert marked.stop_loss is not None
    assert marked.stop_loss.trigger is TriggerSource.MARK
    wrong = {"trigger_price": "48000.001"}
    error = refused(LIMIT, stop_loss=wrong)
    assert (error.code, error.details["field"]) == (
        *("PRICE_NOT_ON_TICK", "stop_loss.trigger_price"),
    )
    error = refused(LIMIT, stop_loss={"trigger_price": "48000", "trigger": "mark"})
    assert (error.code, error.details["field"]) == (
        *("COMBINATION_NOT_ALLOWED", "stop_loss.trigger"),
    )


def test_a_market_order_is_immediate_and_may_name_an_amount_instead() -> None:
    by_qty = command(MARKET)
    assert (by_qty.type, by_qty.tif, by_qty.lots) == (OrderType.MARKET, TimeInForce.IOC, 50_000)
    by_amount = command(MARKET, qty=None, quote_qty="12.5")
    assert (by_amount.lots, by_amount.quote_minor) == (0, 1_250_000_000)


@pytest.mark.parametrize(
    ("margin", "wallet"),
    [(None, "spot"), ("cash", "spot"), ("cross", "margin"), ("isolated", "isolated:BTC-USDT")],
)
def test_margin_names_the_wallet_of_a_spot_order(margin: str | None, wallet: str) -> None:
    assert command(LIMIT, margin=margin).wallet == wallet


def test_a_perpetual_order_goes_to_its_wallet_with_its_leverage() -> None:
    order = command(PERP, leverage=25, reduce_only=True)
    assert (order.wallet, order.leverage, order.reduce_only) == ("perp", 25, True)


def test_a_perpetual_order_must_agree_with_the_margin_mode_that_is_set() -> None:
    assert command(PERP, margin="cross").wallet == "perp"
    assert command(PERP, margin="isolated", isolated=True).wallet == "perp"
    error = refused(PERP, margin="isolated")
    assert error.code == "COMBINATION_NOT_ALLOWED"
    assert error.details == {"field": "margin", "given": "isolated", "setting": "cross"}
    assert "margin_mode.set" in error.message


def test_every_other_field_is_carried_over() -> None:
    order = command(
        LIMIT,
        tif="GTD",
        expire_ms=1_800_000_000_000,
        post_only=True,
        stp="decrement",
        margin="cross",
        side_effect="borrow_repay",
        auto_repay_at_cancel=False,
        client_id="mine-1",
    )
    assert order.tif is TimeInForce.GTD
    assert order.expire_ms == 1_800_000_000_000
    assert order.post_only
    assert order.stp is SelfTrade.DECREMENT
    assert order.side_effect == BORROW_AND_REPAY
    assert not order.auto_repay_at_cancel
    assert command(LIMIT).auto_repay_at_cancel
    assert order.client_id == "mine-1"


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"symbol": "BTC-DOGE"}, "UNKNOWN_SYMBOL", "symbol"),
        ({"price": None}, "PRICE_MISSING", "price"),
        ({"qty": None}, "QTY_MISSING", "qty"),
        ({"quote_qty": "5"}, "COMBINATION_NOT_ALLOWED", "quote_qty"),
        ({"price": "50000.001"}, "PRICE_NOT_ON_TICK", "price"),
        ({"price": "0.000000001"}, "PRICE_NOT_ON_TICK", "price"),
        ({"price": "0"}, "PRICE_OUT_OF_RANGE", "price"),
        ({"price": "-1"}, "MALFORMED_NUMBER", "price"),
        ({"price": "1e5"}, "MALFORMED_NUMBER", "price"),
        ({"price": "NaN"}, "MALFORMED_NUMBER", "price"),
        ({"price": "1" * 39}, "PRICE_OUT_OF_RANGE", "price"),
        ({"qty": "0"}, "QTY_OUT_OF_RANGE", "qty"),
        ({"qty": "0.000001"}, "QTY_NOT_ON_LOT", "qty"),
        ({"qty": "9" * 39}, "QTY_OUT_OF_RANGE", "qty"),
        ({"qty": " 1"}, "MALFORMED_NUMBER", "qty"),
        ({"qty": "\u0661"}, "MALFORMED_NUMBER", "qty"),
        ({"tif": "GTD"}, "EXPIRY_MISSING", "expire_ms"),
        ({"expire_ms": 5}, "COMBINATION_NOT_ALLOWED", "expire_ms"),
        ({"post_only": True, "tif": "IOC"}, "COMBINATION_NOT_ALLOWED", "post_only"),
        ({"post_only": True, "tif": "FOK"}, "COMBINATION_NOT_ALLOWED", "post_only"),
        ({"reduce_only": True}, "COMBINATION_NOT_ALLOWED", "reduce_only"),
        ({"leverage": 3}, "COMBINATION_NOT_ALLOWED", "leverage"),
        ({"position_side": "long"}, "COMBINATION_NOT_ALLOWED", "position_side"),
        ({"side_effect": "borrow"}, "SIDE_EFFECT_NOT_ALLOWED", "side_effect"),
        (
            {"side_effect": "borrow", "margin": "cash"},
            "SIDE_EFFECT_NOT_ALLOWED",
            "side_effect",
        ),
    ],
)
def test_a_limit_order_that_cannot_be_is_refused_by_field(
    changed: dict[str, Any], code: str, field: str
) -> None:
    error = refused(LIMIT, **changed)
    assert (error.code, error.details["field"]) == (code, field)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"price": "50000"}, "PRICE_NOT_ALLOWED", "price"),
        ({"qty": None}, "QTY_MISSING", "qty"),
        ({"quote_qty": "5"}, "COMBINATION_NOT_ALLOWED", "quote_qty"),
        ({"qty": None, "quote_qty": "0"}, "AMOUNT_NOT_POSITIVE", "quote_qty"),
        ({"qty": None, "quote_qty": "1" * 30}, "AMOUNT_TOO_LARGE", "quote_qty"),
        ({"tif": "GTC"}, "COMBINATION_NOT_ALLOWED", "tif"),
        ({"post_only": True}, "COMBINATION_NOT_ALLOWED", "post_only"),
    ],
)
def test_a_market_order_that_cannot_be_is_refused_by_field(
    changed: dict[str, Any], code: str, field: str
) -> None:
    error = refused(MARKET, **changed)
    assert (error.code, error.details["field"]) == (code, field)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"qty": None, "quote_qty": "100"}, "COMBINATION_NOT_ALLOWED"),
        ({"margin": "cash"}, "COMBINATION_NOT_ALLOWED"),
        ({"side_effect": "borrow"}, "SIDE_EFFECT_NOT_ALLOWED"),
    ],
)
def test_a_perpetual_order_takes_nothing_of_the_spot_market(
    changed: dict[str, Any], code: str
) -> None:
    assert refused(PERP, **changed).code == code


def test_a_refused_number_says_what_would_do() -> None:
    assert refused(LIMIT, price="0.001").details["tick"] == "0.01"
    assert refused(LIMIT, qty="0.000001").details["lot"] == "0.00001"


def test_an_amendment_names_what_is_to_change() -> None:
    spot = INSTRUMENTS["BTC-USDT"]
    amended = amend_command(AmendAsk(order_id=7, qty="0.4"), 100, spot, 7)
    assert amended == AmendOrder(account_id=100, order_id=7, lots=40_000)
    with pytest.raises(ApiError) as caught:
        amend_command(AmendAsk(order_id=7), 100, spot, 7)
    assert caught.value.code == "MISSING_FIELD"


def test_a_cancellation_names_the_order_in_one_way() -> None:
    assert cancel_command(OrderKey(order_id=7), 100) == CancelOrder(account_id=100, order_id=7)
    by_client = cancel_command(OrderKey(client_id="mine"), 100)
    assert by_client == CancelOrder(account_id=100, client_id="mine")
    with pytest.raises(ApiError) as neither:
        cancel_command(OrderKey(), 100)
    assert neither.value.code == "MISSING_FIELD"
    with pytest.raises(ApiError) as both:
        cancel_command(OrderKey(order_id=7, client_id="mine"), 100)
    assert both.value.code == "COMBINATION_NOT_ALLOWED"


# -- stops and take-profits --------------------------------------------------------------------

STOP = {
    "symbol": "BTC-USDT",
    "side": "sell",
    "type": "stop",
    "qty": "0.5",
    "trigger_price": "49000",
}
TRAIL = {
    "symbol": "BTC-USDT",
    "side": "sell",
    "type": "trailing_stop",
    "qty": "0.5",
    "trailing_bps": 150,
}
CLOSE = {
    "symbol": "BTC-USDT-PERP",
    "side": "sell",
    "type": "take_profit",
    "trigger_price": "52000",
    "trigger": "mark",
    "close_position": True,
    "price_protect": True,
}


def test_s4_a_stop_sleeps_until_cancelled_and_triggers_by_the_last_trade() -> None:
    asked = command(STOP)
    assert (asked.type, asked.trigger, asked.tif, asked.price_ticks) == (
        OrderType.STOP,
        TriggerSource.LAST,
        TimeInForce.GTC,
        0,
    )
    assert asked.trigger_ticks == 4_900_000  # The tick is 0.01.


def test_p15_an_order_that_closes_a_position_names_no_quantity() -> None:
    asked = command(CLOSE)
    assert (asked.lots, asked.close_position, asked.price_protect) == (0, True, True)
    assert (asked.type, asked.trigger) == (OrderType.TAKE_PROFIT, TriggerSource.MARK)


def test_s4_a_trailing_stop_begins_at_its_activation_price_or_at_once() -> None:
    at_once, later = command(TRAIL), command(TRAIL, activation_price="52000")
    assert (at_once.type, at_once.trailing_bps) == (OrderType.TRAILING_STOP, 150)
    assert (at_once.trigger_ticks, later.trigger_ticks) == (0, 5_200_000)  # The tick is 0.01.


def test_s4_a_stop_may_trail_from_its_trigger_or_at_once() -> None:
    trailing: dict[str, Any] = {"type": "stop_limit", "price": "48900", "trailing_bps": 500}
    assert command(STOP, **trailing).trigger_ticks == 4_900_000
    asked = command(STOP, **trailing, trigger_price=None)
    assert (asked.trigger_ticks, asked.trailing_bps, asked.price_ticks) == (0, 500, 4_890_000)


def test_a_stop_limit_has_both_prices() -> None:
    asked = command(STOP, type="stop_limit", price="48900", tif="IOC")
    assert (asked.price_ticks, asked.trigger_ticks) == (4_890_000, 4_900_000)
    assert asked.tif is TimeInForce.IOC


@pytest.mark.parametrize(
    ("order", "changed", "code", "field"),
    [
        (LIMIT, {"trigger_price": "49000"}, "TRIGGER_NOT_ALLOWED", "trigger_price"),
        (MARKET, {"trigger": "last"}, "TRIGGER_NOT_ALLOWED", "trigger"),
        (PERP, {"close_position": True}, "TRIGGER_NOT_ALLOWED", "close_position"),
        (PERP, {"price_protect": True}, "TRIGGER_NOT_ALLOWED", "price_protect"),
        (LIMIT, {"trailing_bps": 100}, "TRIGGER_NOT_ALLOWED", "trailing_bps"),
        (MARKET, {"activation_price": "49000"}, "TRIGGER_NOT_ALLOWED", "activation_price"),
        (STOP, {"activation_price": "49000"}, "COMBINATION_NOT_ALLOWED", "activation_price"),
        (TRAIL, {"trailing_bps": None}, "TRIGGER_MISSING", "trailing_bps"),
        (TRAIL, {"trigger_price": "49000"}, "COMBINATION_NOT_ALLOWED", "trigger_price"),
        (TRAIL, {"price": "49000"}, "PRICE_NOT_ALLOWED", "price"),
        (TRAIL, {"activation_price": "1.001"}, "PRICE_NOT_ON_TICK", "activation_price"),
        (STOP, {"trigger_price": None}, "TRIGGER_MISSING", "trigger_price"),
        (STOP, {"trigger_price": "49000.001"}, "PRICE_NOT_ON_TICK", "trigger_price"),
        (STOP, {"trigger": "mark"}, "COMBINATION_NOT_ALLOWED", "trigger"),
        (STOP, {"close_position": True, "qty": None}, "COMBINATION_NOT_ALLOWED", "close_position"),
        (STOP, {"price_protect": True}, "COMBINATION_NOT_ALLOWED", "price_protect"),
        (STOP, {"price": "48900"}, "PRICE_NOT_ALLOWED", "price"),
        (STOP, {"type": "stop_limit"}, "PRICE_MISSING", "price"),
        (STOP, {"qty": None}, "QTY_MISSING", "qty"),
        (STOP, {"quote_qty": "100"}, "COMBINATION_NOT_ALLOWED", "quote_qty"),
        (STOP, {"tif": "IOC"}, "COMBINATION_NOT_ALLOWED", "tif"),
        (STOP, {"post_only": True}, "COMBINATION_NOT_ALLOWED", "post_only"),
        (CLOSE, {"qty": "0.1"}, "CLOSE_POSITION_TAKES_NO_QTY", "qty"),
        (CLOSE, {"reduce_only": True}, "COMBINATION_NOT_ALLOWED", "reduce_only"),
        (
            CLOSE,
            {"type": "take_profit_limit", "price": "52000"},
            "COMBINATION_NOT_ALLOWED",
            "close_position",
        ),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused_by_its_field(
    order: dict[str, Any], changed: dict[str, Any], code: str, field: str
) -> None:
    error = refused(order, **changed)
    assert (error.code, error.details["field"]) == (code, field)


def test_an_amendment_may_name_a_new_trigger_alone() -> None:
    amended = amend_command(
        AmendAsk(order_id=7, trigger_price="48000"), 100, INSTRUMENTS["BTC-USDT"], 7
    )
    assert (amended.trigger_ticks, amended.lots, amended.price_ticks) == (4_800_000, 0, 0)


def test_p2_an_order_on_a_perpetual_may_name_its_leg() -> None:
    assert command(PERP).position_side == ONE_WAY
    assert command(PERP, position_side="long").position_side == LONG
    assert command(PERP, side="sell", position_side="short").position_side == SHORT


def test_s6_an_iceberg_names_how_much_of_it_is_shown() -> None:
    assert command(LIMIT, iceberg_qty="0.1").iceberg_lots == 10_000  # The lot is 0.00001.
    error = refused(LIMIT, iceberg_qty="0.000001")
    assert (error.code, error.details["field"]) == ("QTY_NOT_ON_LOT", "iceberg_qty")
