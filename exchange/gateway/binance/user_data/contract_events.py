"""Events of a futures account as its user data stream tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from exchange.events import (
    AnyEvent,
    BalanceChanged,
    Deleveraged,
    Filled,
    LedgerPosted,
    PositionChanged,
    SettingChanged,
)
from exchange.gateway.binance.futures import order_shapes as shapes
from exchange.gateway.binance.symbols import name_of, product_of
from exchange.gateway.binance.user_data.contract_orders import order_events
from exchange.gateway.binance.user_data.reports import IsNew
from exchange.gateway.binance.user_data.scopes import UM, scope_of_wallet
from matching.instrument import amount_text, fixed_text
from matching.limits import SCALE
from risk.account import PERP, Account, leg_of, position_wallet, side_of
from risk.ledger import PostingReason
from risk.state import RiskState

Payload = dict[str, Any]

# Why money moved, the first that occurs in a command; a transfer is told by its direction.
_REASONS: Final = (
    (PostingReason.FUNDING, "FUNDING_FEE"),
    (PostingReason.TRADE, "ORDER"),
    (PostingReason.FEE, "ORDER"),
    (PostingReason.ADL, "ORDER"),
    (PostingReason.LIQUIDATION, "INSURANCE_CLEAR"),
    (PostingReason.INSURANCE, "INSURANCE_CLEAR"),
    (PostingReason.CONVERSION, "AUTO_EXCHANGE"),
    (PostingReason.TRANSFER, ""),
    (PostingReason.DEPOSIT, ""),
    (PostingReason.MARGIN, "MARGIN_TRANSFER"),
)


class Realised:
    """What each position has realised since somebody began to listen, before fees."""

    def __init__(self) -> None:
        self._minor: dict[str, int] = {}

    def add(self, leg: str, minor: int) -> None:
        """A fill realised so much."""
        self._minor[leg] = self._minor.get(leg, 0) + minor

    def of(self, leg: str) -> int:
        """All of it, in minor units of the settle asset."""
        return self._minor.get(leg, 0)


def money(amount_minor: int) -> str:
    """An amount with eight places."""
    return fixed_text(amount_minor, SCALE)


def contract_events(
    risk: RiskState,
    scope: str,
    account: Account,
    events: Sequence[AnyEvent],
    realised: Realised,
    is_new: IsNew,
) -> list[Payload]:
    """What the stream of a product tells of one account's events in one command.

    The reports of orders come before the balances and positions they led to; settings last.
    """
    own = [event for event in events if _is_of(risk, scope, event)]
    for event in own:
        if isinstance(event, Filled):
            realised.add(leg_of(event.symbol, event.position_side), event.realised_minor)
        elif isinstance(event, Deleveraged):
            realised.add(event.leg, event.realised_minor)
    said = order_events(risk, account, own, is_new)
    update = _account_update(risk, scope, account, own, realised)
    if update is not None:
        said.append(update)
    for event in own:
        if isinstance(event, SettingChanged):
            said += _setting(risk, account, event, realised)
    return said


def _is_of(risk: RiskState, scope: str, event: AnyEvent) -> bool:
    """Whether an event of the account belongs to the product."""
    wallet = getattr(event, "wallet", None)
    if wallet is not None and wallet != PERP:
        return scope_of_wallet(wallet, risk.instruments) == scope
    symbol = getattr(event, "symbol", "")
    instrument = risk.instruments.get(symbol) if symbol else None
    if instrument is not None:
        return product_of(instrument) == scope
    return scope == UM  # The wallet of all linear contracts, and settings of the account.


# -- balances and positions --------------------------------------------------------------------


def _account_update(
    risk: RiskState,
    scope: str,
    account: Account,
    events: Sequence[AnyEvent],
    realised: Realised,
) -> Payload | None:
    posted = [event for event in events if isinstance(event, LedgerPosted)]
    moved = [event for event in events if isinstance(event, PositionChanged)]
    if not posted and not moved:
        return None
    balances = _balances(risk, scope, account, events, posted)
    positions = [_position(risk, event, realised) for event in moved]
    last = (posted or moved)[-1]
    return _update(last.time_ms, _reason(posted), balances, positions)


def _update(
    time_ms: int, reason: str, balances: list[Payload], positions: list[Payload]
) -> Payload:
    return {
        "e": "ACCOUNT_UPDATE",
        "E": time_ms,
        "T": time_ms,
        "a": {"m": reason, "B": balances, "P": positions},
    }


def _reason(posted: Sequence[LedgerPosted]) -> str:
    for reason, word in _REASONS:
        found = [event for event in posted if event.reason == reason.value]
        if found:
            came = sum(event.change_minor for event in found) > 0
            return word or ("DEPOSIT" if came else "WITHDRAW")
    return "ADJUSTMENT" if posted else "ORDER"


def _balances(
    risk: RiskState,
    scope: str,
    account: Account,
    events: Sequence[AnyEvent],
    posted: Sequence[LedgerPosted],
) -> list[Payload]:
    """Each asset that moved: all of it, that of cross positions, and what no report tells of it.

    Pockets are told as this command left them; those it did not touch as they stand.
    """
    left: dict[tuple[str, str], int] = {}
    changes: dict[str, int] = {}
    for each in posted:
        left[each.wallet, each.asset] = each.balance_minor
        changes[each.asset] = changes.get(each.asset, 0) + each.change_minor
    for asset, minor in _reported(risk, events):
        if asset in changes:
            changes[asset] -= minor
    for event in events:
        if isinstance(event, BalanceChanged):
            left[event.wallet, event.asset] = event.total_minor
    pockets = {key: pocket.minor for key, pocket in account.pockets.items()} | left
    said = []
    for asset, change in changes.items():
        cross = PERP if scope == UM else f"{PERP}:{asset}"
        cross_minor = pockets.get((cross, asset), 0)
        isolated = sum(
            minor
            for (wallet, held), minor in pockets.items()
            if held == asset
            and wallet.startswith(f"{PERP}/")
            and scope_of_wallet(wallet, risk.instruments) == scope
        )
        said.append(
            {
                "a": asset,
                "wb": money(cross_minor + isolated),
                "cw": money(cross_minor),
                "bc": money(change),
            }
        )
    return said


def _reported(risk: RiskState, events: Sequence[AnyEvent]) -> Iterator[tuple[str, int]]:
    """Profits and commissions that the reports of orders tell of."""
    for event in events:
        if isinstance(event, Filled):
            yield risk.contracts[event.symbol].settle, event.realised_minor
            yield event.fee_asset, -event.fee_minor
        elif isinstance(event, Deleveraged):
            yield event.asset, event.realised_minor


def _position(risk: RiskState, event: PositionChanged, realised: Realised) -> Payload:
    instrument = risk.instruments[event.symbol]
    contract = risk.contracts[event.symbol]
    mark_e8 = risk.mark_e8(event.symbol)
    unrealised = 0
    if event.lots and mark_e8 is not None:
        profit = contract.unrealised_e16(event.lots, event.cost_minor, mark_e8)
        unrealised = contract.floor_minor(profit, mark_e8)
    entry = amount_text(contract.entry_e8(event.lots, event.cost_minor))
    return {
        "s": name_of(instrument),
        "pa": instrument.qty_text(event.lots),
        "ep": entry,
        "bep": entry,
        "cr": money(realised.of(leg_of(event.symbol, event.position_side))),
        "up": money(unrealised),
        "mt": "isolated" if event.isolated else "cross",
        "iw": money(event.margin_minor) if event.isolated else "0",
        "ps": shapes.position_side_word(event.position_side),
        "ma": instrument.settle,
    }


# -- settings ----------------------------------------------------------------------------------


def _setting(
    risk: RiskState, account: Account, event: SettingChanged, realised: Realised
) -> list[Payload]:
    said: Payload = {"e": "ACCOUNT_CONFIG_UPDATE", "E": event.time_ms, "T": event.time_ms}
    if event.name == "leverage":
        symbol = name_of(risk.instruments[event.symbol])
        return [said | {"ac": {"s": symbol, "l": int(event.value)}}]
    if event.name == "multi_asset":
        return [said | {"ai": {"j": event.value == "on"}}]
    if event.name != "margin_mode":
        return []
    setting = account.setting(event.symbol)
    told = [
        _position(
            risk,
            PositionChanged(
                event.seq,
                event.time_ms,
                event.account_id,
                event.n,
                event.symbol,
                held.lots if (held := account.positions.get(leg)) else 0,
                held.cost_minor if held else 0,
                setting.isolated,
                setting.leverage,
                account.minor(position_wallet(leg), risk.instruments[event.symbol].settle),
                side_of(leg),
            ),
            realised,
        )
        for leg in account.legs(event.symbol) or [event.symbol]
    ]
    return [_update(event.time_ms, "MARGIN_TYPE_CHANGE", [], told)]
