"""The trading desk against the exchange itself: spot, a short, a loan, and what time costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from textual.widgets import Input, RichLog

from clients.api import Papertape
from clients.terminal.money import MoneyDialog
from clients.terminal.screen import Terminal
from tests.clients.terminal.screens import SIZE, choose, rows, until
from tests.live.exchanges import ADMIN_KEY, serving

PERP = "BTC-USDT-PERP"
EIGHT_HOURS_MS = 8 * 3_600_000


async def opened(url: str) -> tuple[str, str]:
    async with Papertape(url) as nobody:
        account = await nobody.open_account("desk")
    return account.api_key, account.api_secret


def logged(app: Terminal) -> str:
    """The log's text as words, without the line breaks of a narrow pane."""
    lines = app.query_one("#log", RichLog).lines
    return " ".join(" ".join("".join(part.text for part in strip) for strip in lines).split())


async def test_an_hour_at_the_desk(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", "--speed", "2", data=None) as exchange:
        maker, trader = [await opened(exchange.url) for _ in range(2)]
        async with (
            Papertape(exchange.url, *maker) as other,
            Papertape(exchange.url, *trader, admin_key=ADMIN_KEY) as pt,
        ):
            await pt.set_clock(pause=True)
            await quote(other)
            app = Terminal(pt, await pt.instruments(), "BTC-USDT")
            async with app.run_test(size=SIZE) as pilot:
                await until(pilot, lambda: app.desk.account_id and app.desk.book.asks())
                await buy_spot(app, pilot)
                await go_short(app, pilot)
                await borrow(app, pilot)
                await pt.set_clock(step_ms=EIGHT_HOURS_MS)
                await until(pilot, lambda: "funding received" in logged(app))
                await until(pilot, lambda: len(app.desk.interest) == 1)
                assert "interest 0." in logged(app)
                gauges = {gauge.wallet: gauge for gauge in app.desk.gauges()}
                assert gauges["margin"].level > gauges["margin"].liquidation
                assert rows(app, "positions")[0][0] == f"{PERP} short"
            assert (await pt.audit()).ok


async def quote(other: Papertape) -> None:
    """Somebody makes both markets."""
    await other.faucet("spot", "BTC", "2")
    await other.place("BTC-USDT", "sell", "1", price="50010")
    await other.place("BTC-USDT", "buy", "1", price="49990")
    await other.place(PERP, "sell", "5", price="50005", leverage=20)
    await other.place(PERP, "buy", "5", price="49995")


async def buy_spot(app, pilot) -> None:
    await pilot.press("b", *"0.2", "enter")
    await until(pilot, lambda: "bought 0.2" in logged(app))
    balance = app.desk.balances["spot", "BTC"]
    assert 0 < Decimal(balance.total) <= Decimal("0.2")  # The fee may be paid in what was bought.


async def go_short(app, pilot) -> None:
    await pilot.press("escape", "n")
    await until(pilot, lambda: app.desk.symbol == PERP and app.desk.book.bids())
    app.query_one("#leverage", Input).value = "10"
    app.query_one("#qty", Input).value = ""
    await pilot.press("s", *"0.5", "enter")
    await until(pilot, lambda: rows(app, "positions"))
    assert rows(app, "positions")[0][1] == "0.500"


async def borrow(app, pilot) -> None:
    """Collateral first, then the loan: both in the dialog about money."""
    for action, wallet, amount in (("transfer", "spot", "1000"), ("borrow", "margin", "1500")):
        await pilot.press("escape", "m")
        await until(pilot, lambda: isinstance(app.screen, MoneyDialog))
        await pilot.pause()
        choose(app, "action", action)
        await pilot.pause()
        choose(app, "wallet", wallet)
        if action == "transfer":
            choose(app, "target", "margin")
        await pilot.pause()
        app.screen.query_one("#amount", Input).value = amount
        await pilot.click("#do")
        await until(pilot, lambda: not isinstance(app.screen, MoneyDialog))
    await until(pilot, lambda: "borrowed 1500 USDT into margin" in logged(app))
