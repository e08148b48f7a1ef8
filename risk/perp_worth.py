"""What a perpetual wallet is worth and owes at the marks, and the bands it is safe in."""

from __future__ import annotations

from typing import NamedTuple

from risk.account import PERP, Account, OpenOrders, position_wallet
from risk.margin import maintenance_e28, open_order_margin, withdrawable_minor
from risk.money import E12, MINOR_IN_E16
from risk.position import notional_e16, unrealised_e16
from risk.state import RiskState
from risk.watch import Band


class PerpWorth(NamedTuple):
    """The cross wallet of perpetuals, in 10^-16 of the quote but for `maintenance_e28` (P5)."""

    balance_e16: int  # Wallet and unrealised profit of the cross positions.
    initial_e16: int  # Initial margin of the cross positions,
    orders_e16: int  # of resting orders beyond it, isolated ones included,
    held_e16: int  # and what is kept back for their losses and fees.
    maintenance_e28: int

    @property
    def available_e16(self) -> int:
        """What new orders may use."""
        return max(0, self.balance_e16 - self.initial_e16 - self.orders_e16 - self.held_e16)


def perp_worth(state: RiskState, account: Account) -> PerpWorth:
    """The cross wallet of perpetuals at the marks. O(the account's contracts)."""
    balance = account.minor(PERP, state.venue.quote) * MINOR_IN_E16
    initial = orders = held = maintenance = 0
    for symbol in account.positions.keys() | account.open_perp.keys():
        mark_e8 = state.mark_e8(symbol)
        assert mark_e8 is not None, symbol
        instrument = state.instruments[symbol]
        sums = account.open_perp.get(symbol) or OpenOrders()
        unit_e16 = instrument.unit_minor * MINOR_IN_E16
        lots = account.lots(symbol)
        margin = open_order_margin(
            lots * instrument.lot_minor * mark_e8,
            sums.buy_units * unit_e16,
            sums.sell_units * unit_e16,
            account.setting(symbol).leverage,
        )
        orders += margin.orders_e16
        held += sums.held_minor * MINOR_IN_E16
        if lots and not account.is_isolated(symbol):
            cost = account.positions[symbol].cost_minor
            balance += unrealised_e16(lots, cost, instrument.lot_minor, mark_e8)
            initial += margin.position_e16
            notional = notional_e16(lots, instrument.lot_minor, mark_e8)
            maintenance += maintenance_e28(state.perps[symbol].brackets, notional)
    return PerpWorth(balance, initial, orders, held, maintenance)


def position_worth(state: RiskState, account: Account, symbol: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28) of one isolated position at the mark."""
    held = account.positions[symbol]
    instrument = state.instruments[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    margin = account.minor(position_wallet(symbol), instrument.settle)
    balance = margin * MINOR_IN_E16
    balance += held.unrealised_e16(instrument.lot_minor, mark_e8)
    notional = held.notional_e16(instrument.lot_minor, mark_e8)
    return balance, maintenance_e28(state.perps[symbol].brackets, notional)


def cross_symbols(account: Account) -> list[str]:
    """The contracts whose positions stand on the cross wallet, in a fixed order."""
    return sorted(symbol for symbol in account.positions if not account.is_isolated(symbol))


def perp_bands(
    state: RiskState, account: Account, symbols: list[str], slack_e28: int
) -> list[Band]:
    """How far each mark may move before balance can meet maintenance.

    The slack is shared between the positions. A price that moves against a position by d costs
    size x d, and for a short raises its requirement too, by the highest bracket's rate at most.
    """
    bands: list[Band] = []
    for symbol in symbols:
        held = account.positions[symbol]
        mark_e8 = state.mark_e8(symbol)
        assert mark_e8 is not None
        rate = E12
        if held.lots < 0:
            rate += state.perps[symbol].brackets[-1].mmr_e12
        size = abs(held.lots) * state.instruments[symbol].lot_minor
        room_e8 = max(0, slack_e28) // (len(symbols) * size * rate)
        if held.lots > 0:
            bands.append((symbol, mark_e8 - room_e8, None))
        else:
            bands.append((symbol, None, mark_e8 + room_e8))
    return bands


def max_perp_transfer_out(state: RiskState, account: Account, asset: str) -> int:
    """The most of an asset that may leave the cross wallet of perpetuals, in minor units (P5)."""
    free = account.free(PERP, asset)
    worth = perp_worth(state, account)
    taken = worth.orders_e16 + worth.held_e16
    return min(free, withdrawable_minor(free, worth.balance_e16, worth.initial_e16, taken))
