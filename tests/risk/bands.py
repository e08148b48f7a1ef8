"""Risk at plain prices, and bands to be tried at their very bounds."""

from __future__ import annotations

from hypothesis import strategies as st

from risk.account import Account
from risk.engine import RiskEngine, new_risk_engine
from risk.watch import Band
from tests.risk.stories import NO_FEES
from tests.story import small_venue, units

VENUE = small_venue(fees=NO_FEES)


PRICES = {"BTC": units("50000"), "ETH": units("2500")}


def risk_and_account() -> tuple[RiskEngine, Account]:
    """Risk at the prices above, indexes and marks alike, and an account in it."""
    risk = new_risk_engine(VENUE)
    reprice(risk, PRICES)
    return risk, risk.open_account("user", "one")


def reprice(risk: RiskEngine, prices: dict[str, int]) -> None:
    for asset, price_e8 in prices.items():
        risk.indexes[f"{asset}-USDT"].index_e8 = price_e8
        risk.marks[f"{asset}-USDT-PERP"].mark_e8 = price_e8


def put_in(risk: RiskEngine, account: Account, wallet: str, asset: str, minor: int) -> None:
    risk.pocket(account, wallet, asset).minor = minor


def roomy(bands: list[Band]) -> bool:
    """Whether every price lies inside: a band without room is looked at again at any price."""
    return all((low or 0) < PRICES[name[:3]] != high for name, low, high in bands)


def inside(bands: list[Band], data: st.DataObject) -> dict[str, int]:
    """Prices strictly inside every band, the last before each bound often among them."""
    moved = dict(PRICES)
    for source, low, high in bands:
        asset = source[:3]
        lowest = 1 if low is None else max(1, low + 1)
        highest = 100 * PRICES[asset] if high is None else high - 1
        ends = st.sampled_from([lowest, highest])
        moved[asset] = data.draw(ends | st.integers(lowest, highest), asset)
    return moved
