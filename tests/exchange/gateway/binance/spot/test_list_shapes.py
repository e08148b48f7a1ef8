"""A list is told with its orders, those without an id included."""

from __future__ import annotations

import pytest

from exchange.events import OrderListChanged
from exchange.gateway.binance.spot.list_shapes import CONTINGENCIES, list_fields
from matching.lists import LegStatus, ListKind, ListStatus
from tests.exchange.events_by_hand import ACCOUNT, SPOT, START_MS


def told(kind: ListKind, status: ListStatus) -> OrderListChanged:
    """A list whose first order is placed, and the second is not."""
    legs = [(7, "first", LegStatus.OPEN), (0, "second", LegStatus.PENDING)]
    return OrderListChanged(
        *(1, START_MS, ACCOUNT, 1, 3, SPOT.symbol, kind, status, "both", None, legs)
    )


def test_a_list_names_its_orders() -> None:
    assert list_fields(told(ListKind.OTO, ListStatus.EXECUTING), SPOT) == {
        "orderListId": 3,
        "contingencyType": "OTO",
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": "both",
        "transactionTime": START_MS,
        "symbol": "BTCUSDT",
        "orders": [
            {"symbol": "BTCUSDT", "orderId": 7, "clientOrderId": "first"},
            {"symbol": "BTCUSDT", "orderId": -1, "clientOrderId": "second"},
        ],
    }


@pytest.mark.parametrize(
    ("status", "name"), [(ListStatus.DONE, "ALL_DONE"), (ListStatus.REJECTED, "REJECT")]
)
def test_a_list_that_is_over_says_how(status: ListStatus, name: str) -> None:
    said = list_fields(told(ListKind.OCO, status), SPOT)
    assert (said["listStatusType"], said["listOrderStatus"]) == ("ALL_DONE", name)


def test_an_otoco_is_an_oto_to_its_clients() -> None:
    assert set(CONTINGENCIES) == set(ListKind)
    assert CONTINGENCIES[ListKind.OTOCO] == "OTO"
