"""The rows of the history: plain tuples with names."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from exchange.storage import rows
from exchange.storage.rows import Large, OrderRow

ROW_CLASSES = [
    value for name, value in vars(rows).items() if name.endswith("Row") and name != "PnlRow"
]


@pytest.mark.parametrize("row", ROW_CLASSES)
def test_columns_of_money_and_of_ticks_x_lots_may_be_large(row: type) -> None:
    hints = get_type_hints(row, include_extras=True)
    for column, hint in hints.items():
        if column.endswith(("_minor", "units", "_e18")):
            assert hint is Large, column


def test_a_row_is_a_plain_tuple_too() -> None:
    row = OrderRow(
        1, 7, "BTC-USDT", 0, 0, 100, 5, 0, 0, 0, "mine", 10, 20, None, "spot", is_open=True
    )
    assert tuple(row)[:5] == (1, 7, "BTC-USDT", 0, 0)
    assert row.is_open
    assert row.detail == ""
