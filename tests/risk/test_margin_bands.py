"""Tests of the bands of margin wallets, and of the interest they allow for."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from risk.account import MARGIN, Account, Loan
from risk.engine import RiskEngine, new_risk_engine
from risk.loan_tiers import levels
from risk.margin_bands import margin_bands
from risk.margin_worth import margin_worth
from risk.money import at_most
from risk.watch import Band
from tests.risk.stories import NO_FEES
from tests.story import small_venue, units

VENUE = small_venue(fees=NO_FEES)


PRICES = {"BTC": units("50000"), "ETH": units("2500")}


AMOUNTS = st.integers(0, 10**12)


OWED = st.just(0) | st.integers(1, 10**12)


def _risk() -> tuple[RiskEngine, Account]:
    """Risk at the prices above, indexes and marks alike, and an account in it."""
    risk = new_risk_engine(VENUE)
    _reprice(risk, PRICES)
    return risk, risk.open_account("user", "one")


def _reprice(risk: RiskEngine, prices: dict[str, int]) -> None:
    for asset, price_e8 in prices.items():
        risk.indexes[f"{asset}-USDT"].index_e8 = price_e8
        risk.marks[f"{asset}-USDT-PERP"].mark_e8 = price_e8


def _own(risk: RiskEngine, account: Account, wallet: str, asset: str, minor: int) -> None:
    risk.pocket(account, wallet, asset).minor = minor


def _owe(account: Account, asset: str, principal_minor: int, interest_e18: int) -> None:
    loan = Loan(len(account.loans) + 1, MARGIN, asset)
    loan.principal_minor, loan.interest_e18 = principal_minor, interest_e18
    account.loans[MARGIN, asset] = loan


def _roomy(bands: list[Band]) -> bool:
    """Whether every price lies inside: a band without room is looked at again at any price."""
    return all((low or 0) < PRICES[name[:3]] != high for name, low, high in bands)


def _inside(bands: list[Band], data: st.DataObject) -> dict[str, int]:
    """Prices strictly inside every band, the last before each bound often among them."""
    moved = dict(PRICES)
    for source, low, high in bands:
        asset = source[:3]
        lowest = 1 if low is None else max(1, low + 1)
        highest = 100 * PRICES[asset] if high is None else high - 1
        ends = st.sampled_from([lowest, highest])
        moved[asset] = data.draw(ends | st.integers(lowest, highest), asset)
    return moved


@given(
    st.tuples(AMOUNTS, AMOUNTS, AMOUNTS),
    st.tuples(OWED, OWED, OWED),
    st.integers(0, 10**16),
    st.sampled_from([3, 5]),
    st.data(),
)
def test_no_price_inside_its_bands_takes_a_margin_wallet_to_its_next_level(
    own: tuple[int, int, int],
    owed: tuple[int, int, int],
    interest_e18: int,
    leverage: int,
    data: st.DataObject,
) -> None:
    """As many units of ETH and USDT as are worth the units of BTC."""
    risk, account = _risk()
    account.margin_leverage = leverage
    assets = (("BTC", 1), ("ETH", 20), ("USDT", 50_000))
    for (asset, size), has, owes in zip(assets, own, owed, strict=True):
        _own(risk, account, MARGIN, asset, has * size)
        if owes:
            _owe(account, asset, owes * size, interest_e18)
    bounds = levels(risk, account, MARGIN)
    worth = margin_worth(risk, account, MARGIN)
    assume(worth.debts_e28)
    assume(not at_most(worth.assets_e28, worth.debts_e28, bounds.liquidation_e12))
    called = at_most(worth.assets_e28, worth.debts_e28, bounds.call_e12)
    bands = margin_bands(risk, account, MARGIN, worth, called=called, ahead={})
    assume(_roomy(bands))
    _reprice(risk, _inside(bands, data))
    moved = margin_worth(risk, account, MARGIN)
    assert at_most(moved.assets_e28, moved.debts_e28, bounds.call_e12) == called
    assert not at_most(moved.assets_e28, moved.debts_e28, bounds.liquidation_e12)


def test_a_called_wallet_has_a_bound_on_either_side_and_another_only_one() -> None:
    """1 BTC at 3x: 30,000 owed call at 1.3 x 30,000 = 39,000; 40,000 owed liquidate at
    1.1 x 40,000 = 44,000, and clear the call at 52,000."""
    for owed, called, low, high in (
        ("30000", False, "39000", None),
        ("40000", True, "44000", units("52000")),
    ):
        risk, account = _risk()
        _own(risk, account, MARGIN, "BTC", units("1"))
        _owe(account, "USDT", units(owed), 0)
        worth = margin_worth(risk, account, MARGIN)
        bands = margin_bands(risk, account, MARGIN, worth, called=called, ahead={})
        assert bands == [("BTC-USDT", units(low), high)]
