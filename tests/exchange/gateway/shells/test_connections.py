"""Connections counted by address."""

from __future__ import annotations

import pytest

from exchange.gateway.shells.connections import Connections


def test_an_address_may_have_so_many_and_no_more() -> None:
    connections = Connections(2)
    assert [connections.enter("a") for _ in range(3)] == [True, True, False]
    assert connections.enter("b")
    assert len(connections) == 3
    connections.leave("a")
    assert len(connections) == 2
    assert connections.enter("a")
    assert not connections.enter("a")


def test_without_a_limit_there_is_none() -> None:
    connections = Connections()
    assert all(connections.enter("a") for _ in range(10_000))


def test_who_never_entered_cannot_leave() -> None:
    connections = Connections(2)
    connections.enter("a")
    connections.leave("a")
    with pytest.raises(KeyError):
        connections.leave("a")
