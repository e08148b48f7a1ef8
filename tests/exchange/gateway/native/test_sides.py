"""Position sides at the door."""

from __future__ import annotations

import pytest

from exchange.gateway.native.sides import side_number
from exchange.views.orders import POSITION_SIDE_NAMES


@pytest.mark.parametrize("name", ["long", "short"])
def test_a_side_that_is_asked_for_is_told_by_the_same_name(name: str) -> None:
    assert POSITION_SIDE_NAMES[side_number(name)] == name


def test_an_order_without_a_side_is_of_the_net_position() -> None:
    assert POSITION_SIDE_NAMES[side_number(None)] == "both"
