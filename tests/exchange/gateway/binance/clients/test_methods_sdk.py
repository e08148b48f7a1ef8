"""Tests that the table of the official SDK's methods is whole, each with one verdict."""

from __future__ import annotations

from tests.exchange.gateway.binance.clients.methods_sdk import (
    CLIENT,
    METHODS,
    NOT_SERVED,
    WORKS,
    public,
)


def test_every_method_has_a_verdict() -> None:
    assert set(METHODS) == public()


def test_no_method_has_two() -> None:
    shown = [name for names in WORKS.values() for name in names.split()]
    assert len(METHODS) == len(shown) + len(CLIENT) + len(NOT_SERVED)
