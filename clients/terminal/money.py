"""The dialog about money: borrow, repay, transfer between wallets, and the faucet."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static

from clients.api import Papertape
from clients.errors import PapertapeError

ACTIONS = ("borrow", "repay", "transfer", "faucet")
_SELECT: dict[str, Any] = {"allow_blank": False, "compact": True}


class MoneyDialog(ModalScreen[str]):
    """Ends with a sentence of what was done, or with nothing if it was left."""

    DEFAULT_CSS = """
    MoneyDialog { align: center middle; }
    MoneyDialog > Vertical {
        width: 52; height: auto; border: round $primary; padding: 1 2; background: $surface;
    }
    MoneyDialog Horizontal { height: 1; }
    MoneyDialog Label { width: 10; color: $text-muted; }
    MoneyDialog Input, MoneyDialog Select { width: 1fr; }
    MoneyDialog #told { height: auto; margin: 1 0; color: $text-error; }
    MoneyDialog Button { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_empty", "Leave")]

    def __init__(self, pt: Papertape, wallets: list[str], assets: list[str]) -> None:
        super().__init__()
        self._pt = pt
        self._wallets = [(name, name) for name in wallets]
        self._assets = [(name, name) for name in assets]

    def compose(self) -> ComposeResult:
        """What to do, where, with what, how much."""
        with Vertical() as box:
            box.border_title = "Money"
            yield from _row("Do", Select(((a, a) for a in ACTIONS), id="action", **_SELECT))
            yield from _row("Wallet", Select(self._wallets, id="wallet", **_SELECT))
            yield from _row("To", Select(self._wallets, id="target", disabled=True, **_SELECT))
            yield from _row("Asset", Select(self._assets, id="asset", **_SELECT))
            yield from _row("Amount", Input(id="amount", type="number", compact=True))
            yield Static(id="told")
            with Horizontal():
                yield Button("Do it", id="do", variant="primary", compact=True)
                yield Button("Leave", id="leave", compact=True)

    def on_mount(self) -> None:
        """Borrowing happens in a margin wallet; begin there."""
        self._show_wallets("borrow")

    @on(Select.Changed, "#action")
    def _chosen(self, event: Select.Changed) -> None:
        self._show_wallets(str(event.value))

    def _show_wallets(self, action: str) -> None:
        wallet = self.query_one("#wallet", Select)
        loans = action in ("borrow", "repay")
        lending = [pair for pair in self._wallets if pair[0].startswith(("margin", "isolated:"))]
        wallet.set_options(lending if loans else self._wallets)
        self.query_one("#target", Select).disabled = action != "transfer"
        amount = self.query_one("#amount", Input)
        amount.placeholder = "all that is owed" if action == "repay" else ""

    @on(Button.Pressed, "#leave")
    def action_dismiss_empty(self) -> None:
        """Leave without doing anything."""
        self.dismiss("")

    @on(Button.Pressed, "#do")
    @on(Input.Submitted)
    async def _do(self) -> None:
        action, wallet, target, asset = (
            str(self.query_one(f"#{name}", Select).value)
            for name in ("action", "wallet", "target", "asset")
        )
        told = self.query_one("#told", Static)
        try:
            amount = _amount(self.query_one("#amount", Input).value)
            if amount is None and action != "repay":
                told.update("say how much")
                return
            self.dismiss(await self._change(action, wallet, target, asset, amount))
        except PapertapeError as error:
            told.update(f"{error.message} [{error.code}]")

    async def _change(
        self, action: str, wallet: str, target: str, asset: str, amount: Decimal | None
    ) -> str:
        if action == "repay":
            loan = await self._pt.repay(wallet, asset, amount)
            return f"repaid {loan.repaid_principal} and {loan.repaid_interest} interest, {asset}"
        assert amount is not None, "only a repayment may go without"
        if action == "borrow":
            await self._pt.borrow(wallet, asset, amount)
        elif action == "transfer":
            await self._pt.transfer(wallet, target, asset, amount)
            return f"transferred {amount:f} {asset} from {wallet} to {target}"
        else:
            await self._pt.faucet(wallet, asset, amount)
        return f"{action}: {amount:f} {asset} into {wallet}"


def _row(name: str, field: Input | Select[str]) -> ComposeResult:
    with Horizontal():
        yield Label(name)
        yield field


def _amount(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
