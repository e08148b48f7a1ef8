"""A desk on a screen that is not there, connected to a small exchange, for the Pilot's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import DataTable, Select

from clients.api import Papertape
from clients.terminal.screen import Terminal
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange

SIZE = (140, 44)


@asynccontextmanager
async def desk_on_screen(exchange: FakeExchange) -> AsyncIterator[tuple[Terminal, Pilot]]:
    """The desk, listening already."""
    async with Papertape(exchange.url, KEY, SECRET) as pt:
        app = Terminal(pt, await pt.instruments())
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.desk.account_id and app.desk.book.ready)
            yield app, pilot


async def until(pilot: Pilot, holds: Callable[[], Any]) -> None:
    """Let the screen work until the condition holds; the test's time limit ends the patience."""
    while not holds():
        await pilot.pause(0.01)


def rows(app: Terminal, table: str) -> list[list[str]]:
    """What a table shows, as text."""
    found = app.query_one(f"#{table}", DataTable)
    return [[str(cell) for cell in found.get_row(key)] for key in found.rows]


def choose(app: Terminal, field: str, value: str) -> None:
    """Choose in a list as a user would; the lists' own keys are Textual's to test."""
    app.screen.query_one(f"#{field}", Select).value = value
