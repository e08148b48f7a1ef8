"""Tests of the dialog about money, against a small exchange."""

from textual.widgets import Input, Select, Static

from clients.terminal.money import MoneyDialog
from tests.clients.fake_exchange import FakeExchange
from tests.clients.terminal.screens import choose, desk_on_screen, until


async def opened(app, pilot) -> MoneyDialog:
    await pilot.press("m")
    await until(pilot, lambda: isinstance(app.screen, MoneyDialog) and app.screen.is_mounted)
    await pilot.pause()
    assert isinstance(app.screen, MoneyDialog)
    return app.screen


async def do(dialog: MoneyDialog, app, pilot, amount: str, **choices: str) -> None:
    for field, value in choices.items():
        choose(app, field, value)
        await pilot.pause()
    dialog.query_one("#amount", Input).value = amount
    await pilot.click("#do")


async def test_money_is_transferred_between_wallets(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        await do(dialog, app, pilot, "250", action="transfer", wallet="spot", target="margin")
        await until(pilot, lambda: app.screen is not dialog)
        assert exchange.balances["margin", "USDT"] == 250
        assert exchange.balances["spot", "USDT"] == 99_750


async def test_a_loan_is_repaid_in_whole_without_an_amount(exchange: FakeExchange) -> None:
    loan = {"wallet": "margin", "asset": "USDT", "amount": "1000"}
    await exchange.act("loan.borrow", loan)
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        await do(dialog, app, pilot, "", action="repay")
        await until(pilot, lambda: app.screen is not dialog)
        assert exchange.loans["margin", "USDT"].principal == "0"


async def test_the_faucet_gives(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        await do(dialog, app, pilot, "2", action="faucet", wallet="spot", asset="BTC")
        await until(pilot, lambda: app.screen is not dialog)
        assert exchange.balances["spot", "BTC"] == 2


async def test_a_refusal_is_told_and_the_dialog_stays(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        await do(dialog, app, pilot, "999999", action="transfer", wallet="spot", target="perp")
        told = dialog.query_one("#told", Static)
        await until(pilot, lambda: "INSUFFICIENT_BALANCE" in str(told.render()))
        assert app.screen is dialog


async def test_without_an_amount_it_asks_for_one(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        await do(dialog, app, pilot, "", action="borrow")
        await until(pilot, lambda: "how much" in str(dialog.query_one("#told", Static).render()))


async def test_loans_are_offered_in_margin_wallets_only(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        dialog = await opened(app, pilot)
        wallet = dialog.query_one("#wallet", Select)
        assert wallet.value == "margin"
        choose(app, "action", "transfer")
        await until(pilot, lambda: wallet.value == "spot")


async def test_it_can_be_left(exchange: FakeExchange) -> None:
    async with desk_on_screen(exchange) as (app, pilot):
        await opened(app, pilot)
        await pilot.click("#leave")
        await until(pilot, lambda: not isinstance(app.screen, MoneyDialog))
        await opened(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, MoneyDialog))
    assert "loan.borrow" not in exchange.ops()
