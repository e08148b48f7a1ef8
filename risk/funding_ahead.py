# cython: overflowcheck=True
"""The funding that may fall due inside the bands of perpetual positions (P10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from risk.account import Account
from risk.funding import RATE_HOURS
from risk.money import E12, MINOR_IN_E16, half_even_div
from risk.parameters import HOUR_MS, PerpParameters
from risk.state import RiskState

MINOR_IN_E28: Final = MINOR_IN_E16 * E12


def funding_cap_e12(parameters: PerpParameters) -> int:
    """The highest rate one interval can have (P9)."""
    cap_e12 = parameters.cap_k_e12 * parameters.brackets[0].mmr_e12 // E12
    return half_even_div(cap_e12 * parameters.interval_ms, RATE_HOURS * HOUR_MS)


def funding_ahead_minor(
    state: RiskState, account: Account, legs: Iterable[str], slack_e28: int
) -> int:
    """What bands keep back of a scope's slack for funding, in minor units of the quote.

    That is one payment of each position at the highest rate; at usual rates it lasts for dozens.
    Whatever is paid is taken off it (`Watch.spend`), so it need not be right, only kept back.
    Nothing where the slack has no room for it. Nor for coin-margined positions: what a coin is
    worth changes with the mark, so each payment makes them due.
    """
    ahead_minor = 0
    for leg in legs:
        held = account.positions[leg]
        contract, mark_e8 = state.contracts[held.symbol], state.mark_e8(held.symbol)
        assert mark_e8 is not None
        if contract.inverse:
            return 0
        rate_e12 = funding_cap_e12(state.perps[held.symbol])
        ahead_minor -= contract.flow_minor(abs(held.lots), mark_e8, rate_e12)
    return ahead_minor if ahead_minor * MINOR_IN_E28 < slack_e28 else 0
