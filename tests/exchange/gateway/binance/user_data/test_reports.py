"""Each step of an order is told once: that it is there, its fills in order, its end."""

from __future__ import annotations

from typing import Any

from exchange.events import AnyEvent, Filled, OrderChanged
from exchange.gateway.binance.user_data.reports import reports_of
from matching.types import OrderType, Side, Status, TimeInForce

ME = 100


def changed(happening: str, status: Status, filled: int = 0, **more: Any) -> OrderChanged:
    """An order of ten lots at a price of 5, placed at 1,000."""
    fields: dict[str, Any] = {
        "order_id": 7,
        "symbol": "BTC-USDT",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "tif": TimeInForce.GTC,
        "price_ticks": 5,
        "lots": 10,
        "quote_minor": 0,
        "filled_lots": filled,
        "filled_units": filled * 5,
        "prevented_lots": 0,
        "open_lots": 10 - filled,
        "status": status,
        "wallet": "spot",
        "post_only": False,
        "reduce_only": False,
        "side_effect": 0,
        "forced": False,
        "expire_ms": 0,
        "placed_ms": 1_000,
        "client_id": "",
        "reason": None,
    }
    return OrderChanged(1, 1_000, ME, 1, happening, **(fields | more))


def fill(lots: int, *, maker: bool = False) -> Filled:
    """A fill of that order."""
    return Filled(
        *(1, 1_000, ME, 1, 3, "BTC-USDT", 7, "", Side.BUY, 5, lots, maker, 0, "BTC", 0, "spot")
    )


def told(*events: AnyEvent, new: bool = True) -> list[tuple[str, int, int]]:
    """Kinds, what was filled until then, and status, of an order that came with the command."""
    return [
        (report.kind, report.filled_lots, int(report.status))
        for report in reports_of(events, lambda _: new)
    ]


def test_an_order_that_rests_is_new() -> None:
    assert told(changed("accepted", Status.NEW)) == [("NEW", 0, Status.NEW)]
    asleep = changed("accepted", Status.PENDING_TRIGGER)
    assert told(asleep) == [("NEW", 0, Status.PENDING_TRIGGER)]


def test_a_taker_is_new_before_its_fills_and_ends_after_them() -> None:
    assert told(fill(4), fill(2), changed("expired", Status.EXPIRED, 6)) == [
        ("NEW", 0, Status.NEW),
        ("TRADE", 4, Status.PARTIALLY_FILLED),
        ("TRADE", 6, Status.PARTIALLY_FILLED),
        ("EXPIRED", 6, Status.EXPIRED),
    ]


def test_the_last_fill_of_a_filled_order_fills_it() -> None:
    assert told(fill(4), fill(6), changed("filled", Status.FILLED, 10)) == [
        ("NEW", 0, Status.NEW),
        ("TRADE", 4, Status.PARTIALLY_FILLED),
        ("TRADE", 10, Status.FILLED),
    ]


def test_a_maker_that_was_told_before_only_trades() -> None:
    later = changed("filled", Status.PARTIALLY_FILLED, 9)
    assert told(fill(2, maker=True), later, new=False) == [("TRADE", 9, Status.PARTIALLY_FILLED)]


def test_an_iceberg_that_is_told_as_filled_each_time_is_counted_slice_by_slice() -> None:
    whole = changed("filled", Status.FILLED, 10)
    assert told(fill(4, maker=True), whole, fill(6, maker=True), whole, new=False) == [
        ("TRADE", 4, Status.PARTIALLY_FILLED),
        ("TRADE", 10, Status.FILLED),
    ]


def test_an_order_that_expires_untouched_was_new_only_if_it_came_with_the_command() -> None:
    expired = changed("expired", Status.EXPIRED, tif=TimeInForce.IOC)
    assert [kind for kind, *_ in told(expired)] == ["NEW", "EXPIRED"]
    assert [kind for kind, *_ in told(expired, new=False)] == ["EXPIRED"]


def test_a_woken_order_is_told_and_then_trades() -> None:
    woken = changed("triggered", Status.NEW, triggered_ms=1_000)
    done = changed("filled", Status.FILLED, 10, triggered_ms=1_000)
    assert [kind for kind, *_ in told(woken, fill(10), done, new=False)] == ["TRIGGERED", "TRADE"]


def test_what_never_came_to_be_is_no_news_and_what_did_is_told_its_end() -> None:
    rejected = changed("rejected", Status.REJECTED)
    assert told(rejected) == []
    woken = changed("triggered", Status.NEW, triggered_ms=1_000)
    assert [kind for kind, *_ in told(woken, rejected, new=False)] == ["TRIGGERED", "REJECTED"]


def test_an_order_that_came_and_ended_in_one_command_was_there() -> None:
    """As that of a liquidation that finds nobody, when a Tick brings up what fell due before it."""
    forced = changed("expired", Status.EXPIRED, placed_ms=400, forced=True, tif=TimeInForce.IOC)
    assert [kind for kind, *_ in told(forced)] == ["NEW", "EXPIRED"]


def test_a_prevented_self_trade_has_a_kind_of_its_own() -> None:
    ended = changed("expired", Status.EXPIRED_IN_MATCH, prevented_lots=10)
    assert told(ended, new=False) == [("TRADE_PREVENTION", 0, Status.EXPIRED_IN_MATCH)]
    shrunk = changed("accepted", Status.NEW, prevented_lots=4)
    assert told(shrunk, new=False) == [("TRADE_PREVENTION", 0, Status.NEW)]
    # What is left of the order that came with the command is new.
    assert told(shrunk) == [("NEW", 0, Status.NEW)]
    both = changed("cancelled", Status.CANCELLED, 3)
    assert told(both, new=False) == [("CANCELED", 3, Status.CANCELLED)]


def test_an_iceberg_that_is_prevented_slice_by_slice_ends_with_the_last() -> None:
    ended = changed("expired", Status.EXPIRED_IN_MATCH, 4, prevented_lots=6)
    again = changed("expired", Status.EXPIRED_IN_MATCH, 4, prevented_lots=6)
    assert told(ended, fill(4, maker=True), again, new=False) == [
        ("TRADE_PREVENTION", 0, Status.NEW),
        ("TRADE", 4, Status.PARTIALLY_FILLED),
        ("TRADE_PREVENTION", 4, Status.EXPIRED_IN_MATCH),
    ]
