"""Order lists of spot and margin in Binance's fields and names."""

from __future__ import annotations

from typing import Any, Final

from exchange.events import OrderListChanged
from exchange.gateway.binance.client_ids import list_name, order_name
from exchange.gateway.binance.symbols import name_of
from matching.instrument import Instrument
from matching.lists import ListKind, ListStatus

NOT_PLACED: Final = -1  # The id of an order that waits for another to be filled: it has none yet.

CONTINGENCIES: Final = {ListKind.OCO: "OCO", ListKind.OTO: "OTO", ListKind.OTOCO: "OTO"}
# The type of the status, and the status.
LIST_STATUSES: Final = {
    ListStatus.EXECUTING: ("EXEC_STARTED", "EXECUTING"),
    ListStatus.DONE: ("ALL_DONE", "ALL_DONE"),
    ListStatus.REJECTED: ("ALL_DONE", "REJECT"),
}


def list_fields(event: OrderListChanged, instrument: Instrument) -> dict[str, Any]:
    """What every answer with a list says of it."""
    status_type, status = LIST_STATUSES[event.status]
    return {
        "orderListId": event.list_id,
        "contingencyType": CONTINGENCIES[event.kind],
        "listStatusType": status_type,
        "listOrderStatus": status,
        "listClientOrderId": list_name(event.client_id, event.list_id),
        "transactionTime": event.time_ms,
        "symbol": name_of(instrument),
        "orders": [
            {
                "symbol": name_of(instrument),
                "orderId": order_id or NOT_PLACED,
                "clientOrderId": order_name(client_id, order_id),
            }
            for order_id, client_id, _ in event.legs
        ],
    }
