"""What else people and administrators do on a random venue: money, modes, prices and time."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from exchange.commands import (
    AdjustPositionMargin,
    Borrow,
    ConvertDust,
    Deposit,
    FeedPrices,
    Repay,
    ResetAccount,
    SetIndexPrice,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetPositionMode,
    SetSymbolState,
    Transfer,
)
from matching.types import Side
from risk.account import Account
from tests.naive.naive_margin import may_borrow, may_take_out
from tests.simulation.agreement import agree_after_scan
from tests.simulation.random_life import (
    BASES,
    DEPOSITS,
    GRID_MS,
    PERPS,
    SPOTS,
    Action,
    Life,
)
from tests.story import refusal

WALLETS = ("spot", "margin", "perp", "perp:BTC", "isolated:BTC-USDT", "isolated:ETH-USDT")
ASSETS = ("USDT", "USDT", "BTC", "ETH")
STATES = ("halt", "cancel_only", "post_only", "limit_only", "auction", "auction", "closed")
GAPS = (-45, -15, -7, -3, -1, 1, 3, 8, 18, 70)  # Percent.
LOWEST = {"BTC": 8_000, "ETH": 400}


# -- money -------------------------------------------------------------------------------------


def transfer(life: Life, random: Random) -> None:
    """From one wallet to another; of a margin wallet what may leave it leaves it (M5)."""
    source, target = random.choice((*WALLETS, "nowhere")), random.choice(WALLETS)
    account = life.story.person(random.choice(life.people))
    asset = random.choice((*ASSETS, "XYZ")) if random.random() < 0.5 else "USDT"
    minor = random.choice((-1, 10**6, 10**9, 10**10, 10**12, 2 * 10**12))
    judged = source != target and _margin_holds(account, source, asset)
    judged = judged and (target == "spot" or _margin_holds(account, target, asset))
    fits = judged and minor > 0 and may_take_out(life.engine, account, source, asset, minor)
    way = {"source": source, "target": target, "asset": asset, "amount_minor": minor}
    events = life.do(Transfer, account_id=account.id, **way)
    if judged:
        assert (refusal(events) is None) is fits, (account.id, way, fits)


def refill(life: Life, random: Random) -> None:
    """Fresh money for who lost it, as much as they began with."""
    name, amount = random.choice(tuple(DEPOSITS.items()))
    wallet, asset = name.rsplit("_", 1)
    minor = int(Fraction(amount) * 10**8)
    if life.engine.risk.accounts[person := random.choice(life.people)].minor(wallet, asset) < minor:
        life.do(Deposit, account_id=person, wallet=wallet, asset=asset, amount_minor=minor)


def loan(life: Life, random: Random) -> None:
    """Borrow or repay; who may borrow so much is who gets it (M5)."""
    kind, account = random.choice((Borrow, Repay)), life.story.person(random.choice(life.people))
    wallet, asset = random.choice(WALLETS), random.choice(ASSETS)
    minor = random.choice((0, 10**6, 10**8, 10**9, 3 * 10**9, 10**12))
    fits = minor > 0 and _margin_holds(account, wallet, asset)
    if kind is Borrow and fits:
        fits = may_borrow(life.engine, account, wallet, asset, minor)
    events = life.do(kind, account_id=account.id, wallet=wallet, asset=asset, amount_minor=minor)
    if kind is Borrow:
        assert (refusal(events) is None) is fits, (account.id, wallet, asset, minor, fits)


def _margin_holds(account: Account, wallet: str, asset: str) -> bool:
    """Whether it is a margin wallet that may hold the asset and is not being liquidated."""
    if wallet in account.liquidating:
        return False
    return wallet == "margin" or (wallet.startswith("isolated:") and asset in wallet[9:].split("-"))


def convert_dust(life: Life, random: Random) -> None:
    """Sell what is too little for a book."""
    life.do(ConvertDust, account_id=random.choice(life.people))


def reset(life: Life, random: Random) -> None:
    """Start over, now and then."""
    if random.random() < 0.7:
        return
    account = life.story.person(random.choice(life.people))
    life.do(ResetAccount, account_id=account.id)
    assert not any((account.positions, account.loans, account.orders))
    for name, amount in DEPOSITS.items():
        wallet, asset = name.rsplit("_", 1)
        life.story.deposit(account.id, wallet, asset, amount)


# -- modes -------------------------------------------------------------------------------------


def leverage(life: Life, random: Random) -> None:
    """Of a contract, or of the cross margin account."""
    person = random.choice(life.people)
    if random.random() < 0.3:
        life.do(SetMarginLeverage, account_id=person, leverage=random.choice((3, 5, 4)))
        return
    times = random.choice((1, 5, 10, 50, 126))
    life.do(SetLeverage, account_id=person, symbol=random.choice(PERPS), leverage=times)


def mode(life: Life, random: Random) -> None:
    """Isolated or cross, hedged or one-way, several assets or one."""
    person, choice = random.choice(life.people), random.random()
    if choice < 0.6:
        isolated, symbol = random.random() < 0.6, random.choice(PERPS)
        life.do(SetMarginMode, account_id=person, symbol=symbol, isolated=isolated)
    elif choice < 0.8:
        life.do(SetPositionMode, account_id=person, hedge=random.random() < 0.5)
    else:
        life.do(SetMultiAsset, account_id=person, on=random.random() < 0.5)


def position_margin(life: Life, random: Random) -> None:
    """Add to an isolated position, or take from it."""
    account = life.story.person(random.choice(life.people))
    held = [leg for leg in account.positions if account.is_isolated(leg.partition("/")[0])]
    symbol, _, side = (random.choice(sorted(held)) if held else PERPS[0]).partition("/")
    life.do(
        AdjustPositionMargin,
        account_id=account.id,
        symbol=symbol,
        amount_minor=random.choice((-(10**12), -(10**10), -(10**8), -(10**5), 10**6, 10**9)),
        position_side={"": 0, "LONG": 1, "SHORT": 2}[side],
    )


# -- prices, time and states -------------------------------------------------------------------


def wait(life: Life, random: Random) -> None:
    """Grid points pass."""
    life.wait(random.choice((1, 1, 1, 3, 6)))


def to_the_hour(life: Life, random: Random) -> None:
    """Until funding and interest are due, once or three times; a day's first hour begins a day."""
    for _ in range(random.choice((1, 1, 3))):
        life.wait(361 - life.story.now_ms // GRID_MS % 360)


def gap(life: Life, random: Random) -> None:
    """An administrator's price: it acts within its own command."""
    base = random.choice(BASES)
    price = _moved(life, base, random.choice(GAPS))
    life.do(SetIndexPrice, base=base, quote="USDT", price_e8=int(price * 10**8))
    agree_after_scan(life.engine)


def feed(life: Life, random: Random) -> None:
    """A feed's price, which may be stale soon: then its index is frozen."""
    base = random.choice(BASES)
    price = _moved(life, base, random.choice((-2, -1, 1, 2)))
    life.do(
        FeedPrices,
        feed=life.story.venue.feeds[0],
        prices_e8={base: int(price * 10**8)},
        stale_ms=random.choice((0, 10_000, 10**9, 10**9)),
    )
    life.wait(1)


def _moved(life: Life, base: str, percent: int) -> Fraction:
    """The price moved by so much, within reason, to the cent."""
    cents = round(life.prices[base] * (100 + percent))
    lowest = LOWEST[base]
    life.prices[base] = Fraction(max(lowest * 100, min(lowest * 5_000, cents)), 100)
    return life.prices[base]


def restrict(life: Life, random: Random) -> None:
    """A book halts, or takes only some orders, and opens again later."""
    symbol = random.choice(SPOTS + PERPS)
    state = random.choice(STATES)
    life.do(SetSymbolState, symbol=symbol, state=state)
    for person, side in enumerate(Side):
        life.order(person, symbol, side, Fraction(100), 0)
    if random.random() < 0.5:
        gap(life, random)
    life.wait(1)
    life.do(SetSymbolState, symbol=symbol, state="trading")
    life.wait(1)


def restart(life: Life, random: Random) -> None:
    """A snapshot somewhere on the way; its copy lives on."""
    life.restart()


OTHER_ACTIONS: dict[str, Action] = {
    each.__name__: each
    for each in (
        transfer,
        refill,
        loan,
        convert_dust,
        reset,
        leverage,
        mode,
        position_margin,
        wait,
        to_the_hour,
        gap,
        feed,
        restrict,
        restart,
    )
}
