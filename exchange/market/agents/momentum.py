"""Trend followers: they buy what rises with borrowed money, and a crowd that likes to be long."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

from exchange.commands import BORROW, REPAY, AnyCommand
from exchange.market.agents.purses import Money, Purse
from exchange.market.draws import stroke
from exchange.market.prehistory import QUOTE
from exchange.market.prices import HOUR_MS
from exchange.market.regimes import character
from exchange.market.sight import E8, Sight, lots_at_least, take, value_to_lots
from matching.instrument import Instrument
from matching.types import Side
from risk.account import MARGIN, PERP, Account
from risk.margin_report import margin_report
from risk.perp_report import perp_report

MONEY: Final = 60_000  # USDT of each follower.
REACH_E6: Final = 1_500  # How far beyond what it is worth their limits reach.
BUY_ABOVE: Final = 0.8  # They buy when a price rose by so many of its usual deviations,
SELL_BELOW: Final = -1.3  # sell short when it fell by so many more,
LET_GO: Final = 0.4  # and close once it goes the other way by so many.
SHARE_E2: Final = 20  # A position is only trimmed when it is off by a fifth.


class Pace(NamedTuple):
    """One kind of follower of a perpetual."""

    name: str
    look_s: int  # How far back it looks,
    every_s: int  # and how often.
    leverage: int
    times: int  # Its position is worth so many times its money.


PACES: Final = (
    Pace("fast", 60, 10, 25, 14),
    Pace("steady", 300, 20, 10, 4),
    Pace("slow", 1_800, 60, 5, 2),
)
CROWD_MONEY: Final = {"BTC": 150_000, "ETH": 120_000}
CROWD_MONEY_OTHERS: Final = 80_000
CROWD_TIMES: Final = 8
CROWD_LEVERAGE: Final = 10
CROWD_EVERY_S: Final = 30
GAMBLERS: Final = 2  # Of each contract.
GAMBLER_MONEY: Final = 2_000
GAMBLER_LEVERAGE: Final = 50
GAMBLER_TIMES: Final = 40  # Some 2 % against it, and it is liquidated.
GAMBLER_LOOK_S: Final = 120
GAMBLER_EVERY_S: Final = 30
GAMBLER_HOURS: Final = 0.3  # The share of hours in which it feels lucky.
OPEN_FEE_E4: Final = 8  # What an order binds for its fee, and a little more.
FEE_SPARE_E4: Final = 15  # Bought on top to repay a coin: the fee is taken from what is bought.
MARGIN_LOOK_S: Final = 600
MARGIN_EVERY_S: Final = 30
MARGIN_TIMES: Final = 1.3  # Of its own money: at three times leverage that leaves some air.


class Momentum:
    """A follower of one perpetual, long or short as the trend goes."""

    def __init__(self, seed: int, instrument: Instrument, pace: Pace) -> None:
        self._seed = seed
        self._instrument = instrument
        self._pace = pace
        self.label = f"momentum:{instrument.symbol}:{pace.name}"

    def purses(self) -> list[Purse]:
        """Its margin, and the leverage it dares."""
        money = (Money(PERP, self._instrument.settle, MONEY * E8),)
        return [Purse(self.label, money, ((self._instrument.symbol, self._pace.leverage),))]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """Towards the position that the trend asks for."""
        account = _awake(sight, self.label, self._pace.every_s, self._instrument)
        fair_e8 = sight.fair_e8(self._instrument)
        if account is None or fair_e8 is None:
            return []
        held = sight.position_lots(account, self._instrument.symbol)
        trend = trend_of(sight, self._instrument.base, self._pace.look_s)
        full = value_to_lots(
            self._instrument, fair_e8, _left(account, MONEY * E8) * self._pace.times
        )
        wanted = full * direction(held, trend)
        return _towards(sight, account, self._instrument, held, wanted, fair_e8)


class Crowd:
    """Those who are long of a perpetual most of the time, and make the premium."""

    def __init__(self, seed: int, instrument: Instrument) -> None:
        self._seed = seed
        self._instrument = instrument
        self._money = CROWD_MONEY.get(instrument.base, CROWD_MONEY_OTHERS) * E8
        self.label = f"crowd:{instrument.symbol}"

    def purses(self) -> list[Purse]:
        """Its margin and its leverage."""
        money = (Money(PERP, self._instrument.settle, self._money),)
        return [Purse(self.label, money, ((self._instrument.symbol, CROWD_LEVERAGE),))]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """Towards the mood of the hour: long as a rule, now and then short."""
        account = _awake(sight, self.label, CROWD_EVERY_S, self._instrument)
        fair_e8 = sight.fair_e8(self._instrument)
        if account is None or fair_e8 is None:
            return []
        hours = [
            stroke(self._seed, self.label, sight.now_ms // HOUR_MS - back).normal
            for back in range(4)
        ]
        mood = min(max(0.7 + 0.3 * sum(hours), -1.0), 1.2)
        full = value_to_lots(self._instrument, fair_e8, _left(account, self._money) * CROWD_TIMES)
        held = sight.position_lots(account, self._instrument.symbol)
        return _towards(sight, account, self._instrument, held, round(full * mood), fair_e8)


class Gambler:
    """One who goes with the last minutes at a leverage that ends in a gain or in liquidation."""

    def __init__(self, seed: int, instrument: Instrument, number: int) -> None:
        self._seed = seed
        self._instrument = instrument
        self.label = f"gambler:{instrument.symbol}:{number}"

    def purses(self) -> list[Purse]:
        """A small stake, and fifty times as much."""
        money = (Money(PERP, self._instrument.settle, GAMBLER_MONEY * E8),)
        return [Purse(self.label, money, ((self._instrument.symbol, GAMBLER_LEVERAGE),))]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """Into a position when the hour is right; out of it once the stake has doubled."""
        account = _awake(sight, self.label, GAMBLER_EVERY_S, self._instrument)
        fair_e8 = sight.fair_e8(self._instrument)
        if account is None or fair_e8 is None:
            return []
        held = account.positions.get(self._instrument.symbol)
        if held is None:
            return self._enter(sight, account, fair_e8)
        contract = sight.engine.risk.contracts[self._instrument.symbol]
        gain_e16 = contract.unrealised_e16(held.lots, held.cost_minor, fair_e8)
        if gain_e16 < GAMBLER_MONEY * E8 * E8:
            return []
        return _towards(sight, account, self._instrument, held.lots, 0, fair_e8)

    def _enter(self, sight: Sight, account: Account, fair_e8: int) -> list[AnyCommand]:
        drawn = stroke(self._seed, self.label, sight.now_ms // HOUR_MS)
        if drawn.first > GAMBLER_HOURS:
            return []
        trend = trend_of(sight, self._instrument.base, GAMBLER_LOOK_S)
        stake = _left(account, GAMBLER_MONEY * E8) * GAMBLER_TIMES
        wanted = value_to_lots(self._instrument, fair_e8, stake)
        return _towards(
            sight, account, self._instrument, 0, wanted if trend > 0 else -wanted, fair_e8
        )


class MarginMomentum:
    """A follower on spot who borrows: quote to buy what rises, the asset to sell what falls."""

    def __init__(self, seed: int, instrument: Instrument) -> None:
        self._seed = seed
        self._instrument = instrument
        self.label = f"momentum:{instrument.symbol}:margin"

    def purses(self) -> list[Purse]:
        """Money of its own in the cross margin wallet."""
        return [Purse(self.label, (Money(MARGIN, self._instrument.quote, MONEY * E8),))]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """Towards what the trend asks for: first out of the old, at a later step into the new."""
        instrument = self._instrument
        account = _awake(sight, self.label, MARGIN_EVERY_S, instrument)
        fair_e8 = sight.fair_e8(instrument)
        if account is None or fair_e8 is None:
            return []
        held = self._net_lots(account)
        least = lots_at_least(instrument, fair_e8)
        trend = trend_of(sight, instrument.base, MARGIN_LOOK_S)
        report = margin_report(sight.engine.risk, account, MARGIN)
        left = min(max((report.assets_e16 - report.debt_e16) // E8, 0), MONEY * E8)
        full = value_to_lots(instrument, fair_e8, round(left * MARGIN_TIMES))
        wanted = full * direction(held if abs(held) >= least else 0, trend)
        if held * wanted < 0:
            wanted = 0
        change = wanted - held
        if abs(change) < max(least, abs(wanted) * SHARE_E2 // 100):
            return []
        side = Side.BUY if change > 0 else Side.SELL
        # What leaves a position repays; what enters one borrows.
        effect = REPAY if abs(wanted) < abs(held) else BORROW
        lots = abs(change)
        if held < 0 and side is Side.BUY:
            lots += -(-lots * FEE_SPARE_E4 // 10_000)
        limit_e8 = _limit_e8(fair_e8, side)
        return [take(account, instrument, side, lots, limit_e8, MARGIN, effect)]

    def _net_lots(self, account: Account) -> int:
        """What it holds less what it owes, in lots; a part of a lot owed counts as one."""
        base, lot_minor = self._instrument.base, self._instrument.lot_minor
        loan = account.loans.get((MARGIN, base))
        net_minor = account.minor(MARGIN, base) - (loan.owed_minor if loan else 0)
        return net_minor // lot_minor


def trend_of(sight: Sight, asset: str, look_s: int) -> float:
    """How far a price went over a while, in its usual deviations of such a while."""
    moved = sight.prices.moved(asset, sight.now_ms, look_s * 1_000)
    return moved / (character(asset).sigma_e6 / 1e6 * sqrt(look_s))


def direction(held: int, trend: float) -> int:
    """1 to be long, -1 short, 0 flat: what is held is kept until the trend has turned."""
    if trend > BUY_ABOVE:
        return 1
    if trend < SELL_BELOW:
        return -1
    if held > 0 and trend > -LET_GO:
        return 1
    if held < 0 and trend < LET_GO:
        return -1
    return 0


def _awake(sight: Sight, label: str, every_s: int, instrument: Instrument) -> Account | None:
    """The agent's account at the steps it looks, each agent at its own; None at the others."""
    every = max(1, every_s * 1_000 // sight.step_ms)
    if (sight.step + sum(label.encode())) % every or not sight.is_open(instrument):
        return None
    account = sight.account(label)
    return None if account is None or account.liquidating else account


def _left(account: Account, given_minor: int) -> int:
    """What is left of an agent's money, at most what it was given, in minor units."""
    return min(max(account.minor(PERP, QUOTE), 0), given_minor)


def _limit_e8(fair_e8: int, side: Side) -> int:
    reach = REACH_E6 if side is Side.BUY else -REACH_E6
    return round(fair_e8 * (1 + reach / 1e6))


def _towards(
    sight: Sight, account: Account, instrument: Instrument, held: int, wanted: int, fair_e8: int
) -> list[AnyCommand]:
    """An order for the difference, if it is worth one and its margin is there."""
    wanted = _affordable(sight, account, instrument, held, wanted, fair_e8)
    change = wanted - held
    least = max(lots_at_least(instrument, fair_e8), abs(wanted) * SHARE_E2 // 100)
    if abs(change) < least:
        return []
    side = Side.BUY if change > 0 else Side.SELL
    return [take(account, instrument, side, abs(change), _limit_e8(fair_e8, side))]


def _affordable(
    sight: Sight, account: Account, instrument: Instrument, held: int, wanted: int, fair_e8: int
) -> int:
    """The position wanted, or as much of it as free margin carries beyond what is held now."""
    if abs(wanted) <= abs(held):
        return wanted  # It needs no more margin than what is held.
    side = Side.BUY if wanted > held else Side.SELL
    limit_e8 = _limit_e8(fair_e8, side)
    mark_e8 = sight.engine.risk.mark_e8(instrument.symbol) or fair_e8
    loss_e8 = max(0, limit_e8 - mark_e8 if side is Side.BUY else mark_e8 - limit_e8)
    dear_e8 = max(limit_e8, mark_e8)
    spared_e8 = loss_e8 + dear_e8 * OPEN_FEE_E4 // 10_000
    free = perp_report(sight.engine.risk, account).available_minor
    free -= abs(wanted - held) * instrument.lot_minor * spared_e8 // E8
    leverage = account.setting(instrument.symbol).leverage
    room = max(0, value_to_lots(instrument, dear_e8, free * leverage))
    most = min(abs(wanted), abs(held) + room)
    return most if wanted > 0 else -most
