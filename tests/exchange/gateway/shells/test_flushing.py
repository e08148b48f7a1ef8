"""Flushes come soon, once, and never at once."""

from __future__ import annotations

import asyncio

from exchange.gateway.shells.flushing import Flusher


async def test_all_who_woke_it_are_called_when_the_loop_comes_round() -> None:
    flusher, called = Flusher(), []
    for number in range(3):
        flusher.wake(lambda number=number: called.append(number))  # type: ignore[misc]
    assert called == []
    await asyncio.sleep(0)
    assert called == [0, 1, 2]
    await asyncio.sleep(0)
    assert called == [0, 1, 2]


async def test_who_wakes_it_while_it_flushes_is_called_the_next_time() -> None:
    flusher, called = Flusher(), []

    def again() -> None:
        called.append("first")
        flusher.wake(lambda: called.append("second"))

    flusher.wake(again)
    await asyncio.sleep(0)
    assert called == ["first"]
    await asyncio.sleep(0)
    assert called == ["first", "second"]
