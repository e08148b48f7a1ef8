"""What an account may choose: leverage, margin mode, and the margin of an isolated position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matching.reasons import Reason
from risk.account import (
    CROSS_LEVERAGES,
    MARGIN,
    PERP,
    POSITION_SIDES,
    Account,
    OpenOrders,
    Setting,
    leg_of,
    position_wallet,
)
from risk.ledger import PostingReason
from risk.margin import initial_e16, margin_after_raise_e16, withdrawable_e16
from risk.margin_worth import margin_worth, max_transfer_out
from risk.money import ceil_div
from risk.multi_asset import pay_carried, weights
from risk.perp_worth import leg_margin, perp_worth, position_worth, unrealised_e16
from risk.position import symbol_of
from risk.records import SettingRecord
from risk.state import RiskState


def set_leverage(state: RiskState, account: Account, symbol: str, leverage: int) -> Reason | None:
    """Set the leverage of a perpetual (P17); on a refusal nothing has changed."""
    changes = _changes_of(state, account, symbol, leverage)
    if isinstance(changes, Reason):
        return changes
    if leverage == account.setting(symbol).leverage:
        return None
    account.own_setting(symbol).leverage = leverage
    contract = state.contracts[symbol]
    free = state.pocket(account, contract.cross_wallet, contract.settle)
    for leg, change in changes.items():
        position = state.pocket(account, position_wallet(leg), contract.settle)
        state.ledger.post(free, position, change, PostingReason.MARGIN)
    for leg in account.legs(symbol):
        state.touch_position(account, leg)  # It is shown with its leverage.
    state.tell(SettingRecord(account.id, symbol, "leverage", str(leverage)))
    return None


@contextmanager
def supposed_leverage(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> Iterator[Reason | None]:
    """For a while, the account as `set_leverage` would leave it, or the reason why it refuses.

    Nothing is posted or told, and nothing of it stays.
    """
    changes = _changes_of(state, account, symbol, leverage)
    if isinstance(changes, Reason):
        yield changes
        return
    chosen = account.settings.get(symbol)
    account.settings[symbol] = Setting(leverage, account.is_isolated(symbol))
    _suppose_moved(state, account, changes, 1)
    try:
        yield None
    finally:
        _suppose_moved(state, account, changes, -1)
        if chosen is None:
            del account.settings[symbol]
        else:
            account.settings[symbol] = chosen


def _suppose_moved(state: RiskState, account: Account, changes: dict[str, int], times: int) -> None:
    """Shift margin into legs (or back) without posting it."""
    for leg, minor in changes.items():
        if minor:
            contract = state.contracts[account.positions[leg].symbol]
            wallet = contract.cross_wallet
            state.pocket(account, position_wallet(leg), contract.settle).minor += times * minor
            state.pocket(account, wallet, contract.settle).minor -= times * minor


def _changes_of(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> dict[str, int] | Reason:
    """What a leverage would move from the wallet to each isolated leg, or why not."""
    parameters = state.perps.get(symbol)
    if parameters is None:
        return Reason.UNKNOWN_SYMBOL
    if not 1 <= leverage <= parameters.leverage_max:
        return state.refuse(
            Reason.LEVERAGE_OUT_OF_RANGE,
            "P2",
            symbol=symbol,
            leverage=leverage,
            leverage_max=parameters.leverage_max,
        )
    if leverage == account.setting(symbol).leverage:
        return {}
    if _in_liquidation(state, account, symbol):
        return Reason.ACCOUNT_LIQUIDATING
    refused = _refuse_leverage(state, account, symbol, leverage)
    if refused is not None:
        return refused
    if account.is_isolated(symbol):
        return _refits(state, account, symbol, leverage)
    return {}


def _refuse_leverage(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> Reason | None:
    """Positions and their orders must fit the bracket, and margin the larger requirement."""
    contract = state.contracts[symbol]
    mark_e8 = state.mark_e8(symbol)
    legs = [leg_of(symbol, side) for side in POSITION_SIDES]
    used = [leg for leg in legs if leg in account.positions or leg in account.open_perp]
    if mark_e8 is None or not used:
        return None
    more = 0
    for leg in used:
        sums = account.open_perp.get(leg) or OpenOrders()
        lots = account.lots(leg)
        reach = max(abs(lots + sums.buy_lots), abs(lots - sums.sell_lots))
        notional = contract.notional_e16(reach, mark_e8)
        if not contract.leverage_allows(leverage, notional, mark_e8):
            return state.refuse(
                Reason.BRACKET_EXCEEDED,
                "P3",
                symbol=symbol,
                leverage=leverage,
                reach_lots=reach,
                price_e8=mark_e8,
                notional_e16=notional,
                cap_minor=contract.cap_minor(leverage),
            )
        more += _more_e16(state, account, leg, leverage)
    available_e16 = perp_worth(state, account, contract.cross_wallet).available_e16
    if more > 0 and more > available_e16:
        return _refuse_more(state, account, symbol, leverage, (more, available_e16))
    return None


def _more_e16(state: RiskState, account: Account, leg: str, leverage: int) -> int:
    """What a leg's margin and orders need at a leverage beyond what they need now.

    Of an isolated leg only the orders: its margin is refitted.
    """
    symbol = symbol_of(leg)
    sums = account.open_perp.get(leg) or OpenOrders()
    now = leg_margin(state, account, leg, sums)
    with _as_if(account, symbol, leverage):
        then = leg_margin(state, account, leg, sums)
    if account.is_isolated(symbol):
        return then.orders_e16 - now.orders_e16
    return then.total_e16 - now.total_e16


def _refuse_more(
    state: RiskState, account: Account, symbol: str, leverage: int, sums: tuple[int, int]
) -> Reason:
    """A lower leverage asks for more margin than is free (P17)."""
    return state.refuse(
        Reason.INSUFFICIENT_MARGIN,
        "P17",
        symbol=symbol,
        leverage=leverage,
        leverage_before=account.setting(symbol).leverage,
        asked_e16=sums[0],
        available_e16=sums[1],
    )


@contextmanager
def _as_if(account: Account, symbol: str, leverage: int) -> Iterator[None]:
    """For a while, another leverage, whatever it would take."""
    chosen = account.settings.get(symbol)
    account.settings[symbol] = Setting(leverage, account.is_isolated(symbol))
    try:
        yield
    finally:
        if chosen is None:
            del account.settings[symbol]
        else:
            account.settings[symbol] = chosen


def _refits(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> dict[str, int] | Reason:
    """Isolated: a higher leverage releases margin, a lower one needs more (P17, V77).

    What is set aside is there: profit that is not realised carries orders, but fills no margin.
    """
    before = account.setting(symbol).leverage
    contract = state.contracts[symbol]
    worth = perp_worth(state, account, contract.cross_wallet)
    changes: dict[str, int] = {}
    for leg in account.legs(symbol):
        held = account.positions[leg]
        value = abs(held.cost_minor)
        if leverage < before:
            changes[leg] = ceil_div(value, leverage) - ceil_div(value, before)
        else:
            margin = account.minor(position_wallet(leg), contract.settle)
            kept_e16 = margin_after_raise_e16(
                margin * worth.factor,
                unrealised_e16(state, held),
                ceil_div(value, leverage) * worth.factor,
                position_worth(state, account, leg)[1],
            )
            changes[leg] = ceil_div(kept_e16, worth.factor) - margin
    more_e16 = sum(changes.values()) * worth.factor
    free_minor = max(0, account.minor(contract.cross_wallet, contract.settle))
    orders_e16 = sum(  # They are paid from the same wallet.
        _more_e16(state, account, leg, leverage)
        for leg in account.open_perp
        if symbol_of(leg) == symbol
    )
    for asked_e16, most_e16 in (
        (more_e16, free_minor * worth.factor),
        (more_e16 + orders_e16, worth.available_e16),
    ):
        if asked_e16 > most_e16:
            return _refuse_more(state, account, symbol, leverage, (asked_e16, most_e16))
    return changes


def set_margin_mode(
    state: RiskState, account: Account, symbol: str, isolated: bool
) -> Reason | None:
    """Cross or isolated; only while flat and without orders on the symbol (P2)."""
    if symbol not in state.perps:
        return Reason.UNKNOWN_SYMBOL
    if account.is_isolated(symbol) == isolated:
        return None
    if isolated and account.multi_asset and not state.contracts[symbol].inverse:
        return state.refuse(Reason.MULTI_ASSET_ON, "P18", symbol=symbol)
    if _in_liquidation(state, account, symbol):
        return Reason.ACCOUNT_LIQUIDATING
    if account.legs(symbol):
        return Reason.POSITION_OPEN
    if account.open_counts.get(symbol, 0):
        return Reason.ORDERS_OPEN
    account.own_setting(symbol).isolated = isolated
    value = "isolated" if isolated else "cross"
    state.tell(SettingRecord(account.id, symbol, "margin_mode", value))
    return None


def _in_liquidation(state: RiskState, account: Account, symbol: str) -> bool:
    """Whether something of the symbol, or the wallet behind it, waits to be closed (P13.1)."""
    scopes = {state.contracts[symbol].cross_wallet}
    scopes |= {position_wallet(leg_of(symbol, side)) for side in POSITION_SIDES}
    return not scopes.isdisjoint(account.liquidating)


def set_multi_asset(state: RiskState, account: Account, on: bool) -> Reason | None:
    """Several assets on the linear wallet, or the quote alone (P18).

    On only without isolated linear contracts, which it does not go with; off only when the wallet
    holds nothing but the quote, and owes nothing. The carried interest is paid with it.
    """
    if account.multi_asset == on:
        return None
    if any(scope.startswith(PERP) for scope in account.liquidating):
        return Reason.ACCOUNT_LIQUIDATING
    if on:
        isolated = [
            symbol for symbol in account.settings if _isolated_linear(state, account, symbol)
        ]
        if isolated:
            return state.refuse(Reason.ISOLATED_MARGIN_SET, "P18", symbol=min(isolated))
    else:
        for each in weights(state, account):
            if each.asset != state.venue.quote or each.weight_e20 < 0:
                return state.refuse(
                    Reason.COLLATERAL_IN_WALLET, "P18", asset=each.asset, held_minor=each.minor
                )
        pay_carried(state, account)
    account.multi_asset = on
    state.note_exposure(account)
    state.tell(SettingRecord(account.id, "", "multi_asset", "on" if on else "off"))
    state.touch_wallet(account, PERP)
    return None


def _isolated_linear(state: RiskState, account: Account, symbol: str) -> bool:
    return account.is_isolated(symbol) and not state.contracts[symbol].inverse


def set_position_mode(state: RiskState, account: Account, hedge: bool) -> Reason | None:
    """One-way or hedge; only without any position or order on perpetuals (P2)."""
    if account.hedge == hedge:
        return None
    if account.positions:
        return Reason.POSITION_OPEN
    if any(order.wallet == PERP for order in account.orders.values()):
        return Reason.ORDERS_OPEN
    account.hedge = hedge
    value = "hedge" if hedge else "one_way"
    state.tell(SettingRecord(account.id, "", "position_mode", value))
    return None


def set_margin_leverage(state: RiskState, account: Account, leverage: int) -> Reason | None:
    """Cross margin at 3x or 5x; not where the new levels would be breached at once."""
    if leverage not in CROSS_LEVERAGES:
        return Reason.LEVERAGE_OUT_OF_RANGE
    if leverage == account.margin_leverage:
        return None
    if MARGIN in account.liquidating:
        return Reason.ACCOUNT_LIQUIDATING
    worth = margin_worth(state, account, MARGIN)
    call = state.cross[leverage].call_e12
    if worth.debts_e28 and worth.assets_e28 * 10**12 <= call * worth.debts_e28:
        return Reason.COLLATERAL_TOO_LOW
    account.margin_leverage = leverage
    state.tell(SettingRecord(account.id, "", "margin_leverage", str(leverage)))
    state.touch_wallet(account, MARGIN)
    return None


def set_fee_discount(state: RiskState, account: Account, on: bool) -> Reason | None:
    """Pay spot fees in the discount asset while there is enough of it (S10), or no longer."""
    if state.venue.fees.asset != "discount":
        return state.refuse(Reason.MODE_NOT_ALLOWED, "S10", fee_asset=state.venue.fees.asset)
    if on is account.fee_discount:
        return Reason.MODE_UNCHANGED
    account.fee_discount = on
    state.tell(SettingRecord(account.id, "", "fee_discount", "on" if on else "off"))
    return None


def adjust_position_margin(
    state: RiskState, account: Account, symbol: str, minor: int, position_side: int = 0
) -> Reason | None:
    """Add to, or take out of, the margin of an isolated position (P17)."""
    if symbol not in state.perps:
        return Reason.UNKNOWN_SYMBOL
    leg = leg_of(symbol, position_side)
    if leg not in account.positions:
        return Reason.NO_POSITION
    if not account.is_isolated(symbol):
        return Reason.POSITION_NOT_ISOLATED
    if _in_liquidation(state, account, symbol):
        return Reason.ACCOUNT_LIQUIDATING
    contract = state.contracts[symbol]
    position = state.pocket(account, position_wallet(leg), contract.settle)
    free = state.pocket(account, contract.cross_wallet, contract.settle)
    most = max_transfer_out(state, account, contract.cross_wallet, contract.settle)
    if minor > most:
        return state.refuse(
            Reason.INSUFFICIENT_MARGIN,
            "P5",
            symbol=symbol,
            wallet=contract.cross_wallet,
            asset=contract.settle,
            asked_minor=minor,
            most_minor=most,
        )
    removable = _removable_minor(state, account, leg)
    if -minor > removable:
        return state.refuse(
            Reason.MARGIN_NOT_REMOVABLE,
            "P17",
            symbol=symbol,
            asset=contract.settle,
            asked_minor=-minor,
            most_minor=removable,
            margin_minor=position.minor,
            mark_e8=state.mark_e8(symbol) or 0,
            leverage=account.setting(symbol).leverage,
        )
    state.ledger.post(free, position, minor, PostingReason.MARGIN)
    state.touch_position(account, leg)
    return None


def _removable_minor(state: RiskState, account: Account, leg: str) -> int:
    """What may be taken out of an isolated position: what exceeds its initial margin once losses
    are counted; profit that is not realised is not removable (P17, T17)."""
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    margin_e16 = account.minor(position_wallet(leg), contract.settle) * contract.factor(mark_e8)
    needed_e16 = initial_e16(
        contract.notional_e16(held.lots, mark_e8), account.setting(held.symbol).leverage
    )
    balance_e16 = margin_e16 + unrealised_e16(state, held)
    return contract.floor_minor(withdrawable_e16(margin_e16, balance_e16, needed_e16, 0), mark_e8)
