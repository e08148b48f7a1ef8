"""Who is silent is pinged, and who does not answer is given up."""

from __future__ import annotations

import asyncio

from exchange.gateway.shells.heart import Heart
from tests.exchange.gateway.shells.doorway import until


async def test_silence_is_pinged_and_then_ended() -> None:
    happened: list[str] = []
    heart = Heart(0.01, lambda: happened.append("ping"), lambda: happened.append("silent"))
    await until(lambda: "silent" in happened)
    assert happened == ["ping", "silent"]
    heart.stop()


async def test_who_answers_each_ping_lives_on() -> None:
    pings = 0

    def ping() -> None:
        nonlocal pings
        pings += 1
        heart.heard_any = True

    silent = asyncio.Event()
    heart = Heart(0.005, ping, silent.set)
    await until(lambda: pings == 5)
    heart.stop()
    assert not silent.is_set()


async def test_who_speaks_is_not_pinged() -> None:
    happened: list[str] = []
    heart = Heart(0.01, lambda: happened.append("ping"), lambda: happened.append("silent"))
    heart.heard_any = True
    await until(lambda: not heart.heard_any)  # It has looked once.
    assert happened == []
    heart.stop()
    await asyncio.sleep(0)
    assert happened == []
