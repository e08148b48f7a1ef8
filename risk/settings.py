"""What an account may choose: leverage, margin mode, and the margin of an isolated position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matching.reasons import Reason
from risk.account import (
    CROSS_LEVERAGES,
    MARGIN,
    PERP,
    Account,
    OpenOrders,
    Setting,
    position_wallet,
)
from risk.ledger import PostingReason
from risk.margin import (
    initial_e16,
    leverage_allows,
    margin_after_raise_minor,
    open_order_margin,
    removable_minor,
)
from risk.margin_worth import margin_worth, max_transfer_out
from risk.money import MINOR_IN_E16, ceil_div
from risk.perp_worth import perp_worth, position_worth
from risk.position import notional_e16
from risk.records import SettingRecord
from risk.state import RiskState


def set_leverage(state: RiskState, account: Account, symbol: str, leverage: int) -> Reason | None:
    """Set the leverage of a perpetual (P17); on a refusal nothing has changed."""
    change = _change_of(state, account, symbol, leverage)
    if isinstance(change, Reason):
        return change
    if leverage == account.setting(symbol).leverage:
        return None
    account.own_setting(symbol).leverage = leverage
    if symbol in account.positions and account.is_isolated(symbol):
        settle = state.instruments[symbol].settle
        position = state.pocket(account, position_wallet(symbol), settle)
        free = state.pocket(account, PERP, settle)
        state.ledger.post(free, position, change, PostingReason.MARGIN)
    if symbol in account.positions:
        state.touch_position(account, symbol)  # It is shown with its leverage.
    state.tell(SettingRecord(account.id, symbol, "leverage", str(leverage)))
    return None


@contextmanager
def supposed_leverage(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> Iterator[Reason | None]:
    """For a while, the account as `set_leverage` would leave it, or the reason why it refuses.

    Nothing is posted or told, and nothing of it stays.
    """
    change = _change_of(state, account, symbol, leverage)
    if isinstance(change, Reason):
        yield change
        return
    chosen = account.settings.get(symbol)
    account.settings[symbol] = Setting(leverage, account.is_isolated(symbol))
    _suppose_moved(state, account, symbol, change)
    try:
        yield None
    finally:
        _suppose_moved(state, account, symbol, -change)
        if chosen is None:
            del account.settings[symbol]
        else:
            account.settings[symbol] = chosen


def _suppose_moved(state: RiskState, account: Account, symbol: str, minor: int) -> None:
    """Shift margin into a position without posting it."""
    if minor:
        settle = state.instruments[symbol].settle
        state.pocket(account, position_wallet(symbol), settle).minor += minor
        state.pocket(account, PERP, settle).minor -= minor


def _change_of(state: RiskState, account: Account, symbol: str, leverage: int) -> int | Reason:
    """What a leverage would move from the wallet to an isolated position, or why not."""
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
        return 0
    refused = _refuse_leverage(state, account, symbol, leverage)
    if refused is not None:
        return refused
    if symbol in account.positions and account.is_isolated(symbol):
        return _refit_minor(state, account, symbol, leverage)
    return 0


def _refuse_leverage(
    state: RiskState, account: Account, symbol: str, leverage: int
) -> Reason | None:
    """The position and its orders must fit the bracket, and margin the larger requirement."""
    instrument = state.instruments[symbol]
    mark_e8 = state.mark_e8(symbol)
    lots = account.lots(symbol)
    sums = account.open_perp.get(symbol) or OpenOrders()
    if mark_e8 is None or not (lots or sums.buy_lots or sums.sell_lots):
        return None
    reach = max(abs(lots + sums.buy_lots), abs(lots - sums.sell_lots))
    notional = notional_e16(reach, instrument.lot_minor, mark_e8)
    brackets = state.perps[symbol].brackets
    if not leverage_allows(brackets, leverage, notional):
        return state.refuse(
            Reason.BRACKET_EXCEEDED,
            "P3",
            symbol=symbol,
            leverage=leverage,
            reach_lots=reach,
            price_e8=mark_e8,
            notional_e16=notional,
            cap_minor=max(
                (each.cap_minor for each in brackets if each.leverage >= leverage), default=0
            ),
        )
    unit_e16 = instrument.unit_minor * MINOR_IN_E16
    totals = []
    for each in (account.setting(symbol).leverage, leverage):
        margin = open_order_margin(
            lots * instrument.lot_minor * mark_e8,
            sums.buy_units * unit_e16,
            sums.sell_units * unit_e16,
            each,
        )
        isolated = account.is_isolated(symbol)
        totals.append(margin.orders_e16 if isolated else margin.total_e16)
    more = totals[1] - totals[0]
    available_e16 = perp_worth(state, account).available_e16
    if more > 0 and more > available_e16:
        return _refuse_more(state, account, symbol, leverage, (more, available_e16))
    return None


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


def _refit_minor(state: RiskState, account: Account, symbol: str, leverage: int) -> int | Reason:
    """Isolated: a higher leverage releases margin, a lower one needs more (P17, V77)."""
    before = account.setting(symbol).leverage
    instrument = state.instruments[symbol]
    held = account.positions[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    margin = account.minor(position_wallet(symbol), instrument.settle)
    value = abs(held.cost_minor)
    if leverage < before:
        more = ceil_div(value, leverage) - ceil_div(value, before)
        available_e16 = perp_worth(state, account).available_e16
        if more * MINOR_IN_E16 > available_e16:
            sums = (more * MINOR_IN_E16, available_e16)
            return _refuse_more(state, account, symbol, leverage, sums)
        return min(more, max(0, account.minor(PERP, instrument.settle)))
    _, maintenance = position_worth(state, account, symbol)
    kept = margin_after_raise_minor(
        margin,
        held.unrealised_e16(instrument.lot_minor, mark_e8),
        initial_e16(value * MINOR_IN_E16, leverage),
        maintenance,
    )
    return kept - margin


def set_margin_mode(
    state: RiskState, account: Account, symbol: str, isolated: bool
) -> Reason | None:
    """Cross or isolated; only while flat and without orders on the symbol (P2)."""
    if symbol not in state.perps:
        return Reason.UNKNOWN_SYMBOL
    if account.is_isolated(symbol) == isolated:
        return None
    if symbol in account.positions:
        return Reason.POSITION_OPEN
    if account.open_counts.get(symbol, 0):
        return Reason.ORDERS_OPEN
    account.own_setting(symbol).isolated = isolated
    value = "isolated" if isolated else "cross"
    state.tell(SettingRecord(account.id, symbol, "margin_mode", value))
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
        return Reason.MODE_NOT_ALLOWED
    if on is account.fee_discount:
        return Reason.MODE_UNCHANGED
    account.fee_discount = on
    state.tell(SettingRecord(account.id, "", "fee_discount", "on" if on else "off"))
    return None


def adjust_position_margin(
    state: RiskState, account: Account, symbol: str, minor: int
) -> Reason | None:
    """Add to, or take out of, the margin of an isolated position (P17)."""
    if symbol not in state.perps:
        return Reason.UNKNOWN_SYMBOL
    if symbol not in account.positions:
        return Reason.NO_POSITION
    if not account.is_isolated(symbol):
        return Reason.POSITION_NOT_ISOLATED
    instrument = state.instruments[symbol]
    position = state.pocket(account, position_wallet(symbol), instrument.settle)
    free = state.pocket(account, PERP, instrument.settle)
    most = max_transfer_out(state, account, PERP, instrument.settle)
    if minor > most:
        return state.refuse(
            Reason.INSUFFICIENT_MARGIN,
            "P5",
            symbol=symbol,
            wallet=PERP,
            asset=instrument.settle,
            asked_minor=minor,
            most_minor=most,
        )
    if minor < 0:
        held = account.positions[symbol]
        mark_e8 = state.mark_e8(symbol)
        assert mark_e8 is not None
        notional = held.notional_e16(instrument.lot_minor, mark_e8)
        removable = removable_minor(
            position.minor,
            held.unrealised_e16(instrument.lot_minor, mark_e8),
            initial_e16(notional, account.setting(symbol).leverage),
        )
        if -minor > removable:
            return state.refuse(
                Reason.MARGIN_NOT_REMOVABLE,
                "P17",
                symbol=symbol,
                asset=instrument.settle,
                asked_minor=-minor,
                most_minor=removable,
                margin_minor=position.minor,
                mark_e8=mark_e8,
                leverage=account.setting(symbol).leverage,
            )
    state.ledger.post(free, position, minor, PostingReason.MARGIN)
    state.touch_position(account, symbol)
    state.touch_wallet(account, PERP)
    return None
