"""What to do about a refusal, where the account's own state says it: a sentence behind the reason.

The engine decides; this reads why it had to, in the words of the native protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exchange.commands import AdjustPositionMargin, AnyCommand, PlaceOrder
from matching.instrument import amount_text
from matching.reasons import Reason
from matching.types import Side
from risk.account import LONG, Account
from risk.state import RiskState


def hint(reason: Reason, command: AnyCommand, risk: RiskState) -> str:
    """What would help the account that was refused; empty where the reason says it all."""
    account = risk.accounts.get(getattr(command, "account_id", 0))
    told = _HINTS.get(reason)
    return told(command, account, risk) if account is not None and told is not None else ""


def refused_text(reason: Reason, command: AnyCommand, risk: RiskState) -> str:
    """A reason's own text, and what would help."""
    more = hint(reason, command, risk)
    return f"{reason.value}: {more}" if more else reason.value


def _position_side(command: AnyCommand, account: Account, risk: RiskState) -> str:
    if account.hedge:
        return "the account is in hedge mode, so set position_side to long or short"
    return (
        "the account is in one-way mode, so leave position_side out, or call position_mode.set"
        ' with {"hedge": true}'
    )


def _coin_margin(command: AnyCommand, account: Account, risk: RiskState) -> str:
    """Whoever comes from linear contracts has dollars, and wonders what is lacking."""
    contract = risk.contracts.get(getattr(command, "symbol", ""))
    if contract is None or not contract.inverse:
        return ""
    wallet, coin = contract.cross_wallet, contract.settle
    free = amount_text(account.free(wallet, coin))
    return (
        f"{contract.symbol} takes its margin in {coin} from the wallet {wallet}, which holds"
        f" {free}: fund it first, by a transfer or the faucet (POST /v1/faucet, or"
        f" `papertape faucet {wallet} {coin} 1`)"
    )


def _closing(command: AnyCommand, account: Account, risk: RiskState) -> str:
    if not isinstance(command, PlaceOrder) or not command.position_side:
        return ""
    leg, opens = ("long", "short") if command.position_side == LONG else ("short", "long")
    done = "selling" if command.side is Side.SELL else "buying"
    return f"{done} with position_side {leg} closes that leg; to open one, set it to {opens}"


def _leg_margin(command: AnyCommand, account: Account, risk: RiskState) -> str:
    if not isinstance(command, AdjustPositionMargin):
        return ""
    if account.hedge and not command.position_side:
        return "the account is in hedge mode, so set position_side to long or short"
    if command.position_side and not account.hedge:
        return "the account is in one-way mode, so leave position_side out"
    return ""


_HINTS: Final[dict[Reason, Callable[[AnyCommand, Account, RiskState], str]]] = {
    Reason.POSITION_SIDE_MISMATCH: _position_side,
    Reason.INSUFFICIENT_MARGIN: _coin_margin,
    Reason.REDUCE_ONLY_WOULD_INCREASE: _closing,
    Reason.NO_POSITION: _leg_margin,
}
