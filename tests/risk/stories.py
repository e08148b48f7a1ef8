"""How the tests of risk set a scene: positions with two sides, levered wallets, round venues."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from exchange.commands import Borrow, SetMarginMode
from exchange.engine import Engine
from matching.types import Side
from risk.account import Account, position_wallet
from risk.ledger import WORLD, PostingReason
from risk.loan_tiers import levels
from risk.parameters import Venue
from risk.perp_report import PositionReport, position_report
from risk.perp_worth import unrealised_e16
from tests.story import Story, flat_fees, refusal, small_venue, units

BTC = "BTC-USDT"
ETH = "ETH-USDT"
BTC_PERP = "BTC-USDT-PERP"
ETH_PERP = "ETH-USDT-PERP"
ISOLATED_BTC = "isolated:BTC-USDT"
HOUR = 3_600_000
MINUTE = 60_000
NO_FEES = flat_fees(0, 0, 0, 0)
MAKERS_FREE = flat_fees(spot_maker_e12=0, perp_maker_e12=0)  # Takers pay 0.1 % and 0.05 %.


def slow_venue(**changes: Any) -> Venue:
    """A venue that looks at prices once a minute, for stories of days."""
    return small_venue(grid_ms=MINUTE, sample_ms=MINUTE, **changes)


def with_perp(venue: Venue, symbol: str, **changes: Any) -> Venue:
    """The venue with other parameters of one perpetual."""
    perps = tuple(
        msgspec.structs.replace(each, **changes) if each.symbol == symbol else each
        for each in venue.perps
    )
    return msgspec.structs.replace(venue, perps=perps)


def with_asset(venue: Venue, asset: str, **changes: Any) -> Venue:
    """The venue with other parameters of one asset."""
    assets = tuple(
        msgspec.structs.replace(each, **changes) if each.asset == asset else each
        for each in venue.assets
    )
    return msgspec.structs.replace(venue, assets=assets)


def with_spot(venue: Venue, symbol: str, **changes: Any) -> Venue:
    """The venue with other parameters of one spot pair as margin trading sees it."""
    spots = tuple(
        msgspec.structs.replace(each, **changes) if each.symbol == symbol else each
        for each in venue.spots
    )
    return msgspec.structs.replace(venue, spots=spots)


def rich(story: Story) -> int:
    """Somebody with plenty of money for contracts."""
    return story.account("rich", perp_USDT="100000000")


def trader(story: Story) -> int:
    """Somebody with plenty of cash and coins."""
    return story.account("trader", spot_USDT="100000000", spot_BTC="10000", spot_ETH="10000")


def position(
    story: Story,
    side: Side,
    qty: str,
    price: str,
    *,
    money: str,
    leverage: int = 20,
    isolated: bool = False,
    symbol: str = BTC_PERP,
) -> int:
    """An account of so much money whose maker order of that side is filled at a price."""
    account = story.account(f"{side.name} {qty}", perp_USDT=money)
    if isolated:
        story.ok(SetMarginMode, account_id=account, symbol=symbol, isolated=True)
    assert refusal(story.place(account, side, symbol, qty, price, leverage=leverage)) is None
    assert refusal(story.place(rich(story), side.opposite, symbol, qty, price)) is None
    assert not story.person(account).orders
    return account


def levered(story: Story, own: str, loan: str, qty: str, price: str) -> int:
    """Isolated margin on BTC: so much of one's own and a loan, spent as a maker on a quantity."""
    account = story.account("levered", **{f"{ISOLATED_BTC}_USDT": own})
    borrow(story, account, ISOLATED_BTC, "USDT", loan)
    assert refusal(story.buy(account, BTC, qty, price, wallet=ISOLATED_BTC)) is None
    assert refusal(story.sell(trader(story), BTC, qty, price)) is None
    assert not story.person(account).orders
    return account


def borrow(story: Story, account: int, wallet: str, asset: str, amount: str) -> None:
    """A loan that is not refused."""
    story.ok(Borrow, account_id=account, wallet=wallet, asset=asset, amount_minor=units(amount))


def owe_interest(story: Story, account: int, wallet: str, asset: str, amount: str) -> None:
    """A loan that owes so much interest, and a pool that has as much to receive."""
    loan = story.person(account).loans[wallet, asset]
    interest_e18 = units(amount) * 10**10
    story.engine.risk.interest_due[asset] += interest_e18 - loan.interest_e18
    loan.interest_e18 = interest_e18


def leverage_and_initial(story: Story, account: int, wallet: str) -> tuple[int, int]:
    """The leverage of a margin wallet as it stands, and the level a loan must keep above."""
    found = levels(story.engine.risk, story.person(account), wallet)
    return found.leverage, found.initial_e12


def spent(story: Story, account: int, wallet: str, asset: str, amount: str) -> None:
    """Money is gone, as if spent on something that is worth nothing."""
    risk = story.engine.risk
    pocket = risk.pocket(story.person(account), wallet, asset)
    risk.ledger.post(pocket, risk.ledger.house(WORLD, asset), units(amount), PostingReason.RESET)
    risk.touch_wallet(story.person(account), wallet)


def report(story: Story, account: int, symbol: str = BTC_PERP) -> PositionReport:
    """How a position stands."""
    return position_report(story.engine.risk, story.person(account), symbol)


def margin_of(account: Account, symbol: str = BTC_PERP) -> int:
    """The margin set aside for an isolated position, in minor units."""
    return account.minor(position_wallet(symbol), "USDT")


def net_minor(engine: Engine, account: Account) -> Fraction:
    """What an account is worth in USDT minor units: everything it has, less what it owes, and
    its positions at their marks."""
    risk = engine.risk
    total = Fraction(0)
    for (_, asset), pocket in account.pockets.items():
        total += Fraction(pocket.minor * (risk.price_e8(asset) or 0), 10**8)
    for loan in account.loans.values():
        total -= Fraction(loan.owed_e18 * (risk.price_e8(loan.asset) or 0), 10**18)
    for held in account.positions.values():
        total += Fraction(unrealised_e16(risk, held), 10**8)
    return total
