"""Noise traders: they arrive by chance, take what they came for, and leave."""

from __future__ import annotations

from typing import Final

from exchange.commands import AnyCommand, PlaceOrder
from exchange.market.agents.purses import Money, Purse
from exchange.market.draws import Draws
from exchange.market.prehistory import turnover
from exchange.market.prices import HOUR_MS, MARKET
from exchange.market.regimes import regime_at
from exchange.market.sight import (
    E8,
    Sight,
    lots_at_least,
    lots_to_value,
    margin_wallet,
    take,
    value_to_lots,
    wallet_of,
)
from matching.instrument import Instrument
from matching.types import OrderType, Side
from risk.account import PERP, SPOT, Account
from risk.perp_report import perp_report

TRADERS: Final = 3
ARRIVALS_PER_S: Final = {"BTC": 2.0, "ETH": 1.6, "SOL": 1.1, "BNB": 0.8, "XRP": 0.8, "DOGE": 0.7}
ARRIVALS_OTHERS_PER_S: Final = 0.45
ARRIVALS_PER_STEP_MAX: Final = 3  # A longer step brings larger orders instead of more,
ARRIVALS_LONG_STEP: Final = 0.5  # and where it is longer than LONG_STEP_MS only so many,
LONG_STEP_MS: Final = 1_000
TIMES_MAX: Final = 6  # up to so many times as large: they must not outgrow the books.
MARKET_SHARE: Final = 0.3  # So many come with a market order, the others with a limit.
REACH_E6: Final = 3_000  # How far beyond what it is worth a limit reaches.
LEAN: Final = 1.0  # How strongly they come back to what they usually hold.
FOLLOW: Final = 6.0  # How strongly they go with the market's trend.
MONEY: Final = 600_000  # USDT in either wallet,
STOCK: Final = 150_000  # and the value of each asset they hold.
POSITION: Final = 150_000  # A perpetual position that they come back from.
ORDER_MAX: Final = 15_000  # No order is worth more: a tenth of what they hold.
SPARE_E4: Final = 100  # Fees, and a price that moves before the order is there.


class Noise:
    """Three accounts that trade every instrument."""

    def __init__(
        self, seed: int, instruments: list[Instrument], start_prices_e8: dict[str, int], quote: str
    ) -> None:
        self._seed = seed
        self._instruments = instruments
        self._quote = quote
        self._start_e8 = {**start_prices_e8, quote: E8}
        self._stock = {
            asset: STOCK * E8 * E8 // self._start_e8[asset]
            for each in instruments
            for asset in (each.base, each.quote)
            if each.kind == "spot" and asset != quote
        }

    def purses(self) -> list[Purse]:
        """Cash for both wallets, and some of every asset."""
        money = [Money(SPOT, self._quote, MONEY * E8), Money(PERP, self._quote, MONEY * E8)]
        money += [Money(SPOT, asset, minor) for asset, minor in sorted(self._stock.items())]
        for each in self._instruments:
            if each.kind == "inverse":
                coins_minor = MONEY * E8 * E8 // self._start_e8[each.base]
                money.append(Money(margin_wallet(each), each.settle, coins_minor))
        return [Purse(_label(trader), tuple(money)) for trader in range(TRADERS)]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """The orders of those who arrive at this step."""
        made: list[AnyCommand] = []
        regime = regime_at(self._seed, MARKET, sight.now_ms // HOUR_MS)
        seconds = sight.step_ms / 1_000
        for instrument in self._instruments:
            fair_e8 = sight.fair_e8(instrument)
            if fair_e8 is None or not sight.is_open(instrument):
                continue
            draws = Draws(self._seed, f"{instrument.symbol} noise", sight.step)
            rate = ARRIVALS_PER_S.get(instrument.base, ARRIVALS_OTHERS_PER_S)
            mean = rate * seconds * (0.7 + 0.3 * regime.liveliness)
            most = ARRIVALS_LONG_STEP if sight.step_ms > LONG_STEP_MS else ARRIVALS_PER_STEP_MAX
            arrivals = min(draws.poisson(min(mean, most)), ARRIVALS_PER_STEP_MAX)
            for _ in range(arrivals):
                scale = min(max(1.0, mean / most), TIMES_MAX)
                value = turnover(instrument) / 60 / rate * draws.heavy() * scale
                value_e8 = (
                    round(min(value, ORDER_MAX) * E8)
                    * E8
                    // self._start_e8.get(instrument.quote, E8)
                )
                order = self._order(sight, instrument, fair_e8, value_e8, draws, regime.lean)
                if order is not None:
                    made.append(order)
        return made

    def _order(
        self,
        sight: Sight,
        instrument: Instrument,
        fair_e8: int,
        value_e8: int,
        draws: Draws,
        lean: float,
    ) -> PlaceOrder | None:
        """One arrival's order; None while its account is not open, or cannot pay for it."""
        account = sight.account(_label(draws.below(TRADERS)))
        if account is None:
            return None
        buys = 0.5 + LEAN * self._shortage(sight, account, instrument, fair_e8) + FOLLOW * lean
        side = Side.BUY if draws.chance(buys) else Side.SELL
        lots = max(value_to_lots(instrument, fair_e8, value_e8), lots_at_least(instrument, fair_e8))
        is_market = draws.chance(MARKET_SHARE)
        if not self._can_pay(sight, account, instrument, side, lots, fair_e8):
            return None
        if is_market:
            return PlaceOrder(
                account_id=account.id,
                symbol=instrument.symbol,
                side=side,
                type=OrderType.MARKET,
                lots=min(lots, instrument.market_lots_max),
                wallet=wallet_of(instrument),
            )
        reach = 1 + (REACH_E6 if side is Side.BUY else -REACH_E6) / 1e6
        return take(account, instrument, side, lots, round(fair_e8 * reach))

    def _can_pay(
        self,
        sight: Sight,
        account: Account,
        instrument: Instrument,
        side: Side,
        lots: int,
        fair_e8: int,
    ) -> bool:
        """Whether an order would not be refused for want of money."""
        cost = lots_to_value(instrument, fair_e8, lots)
        cost += cost * SPARE_E4 // 10_000
        if instrument.kind != "spot":
            report = perp_report(sight.engine.risk, account, instrument.settle)
            if instrument.kind == "inverse":
                cost = cost * E8 // fair_e8
            return report.available_minor >= cost
        asset = instrument.quote if side is Side.BUY else instrument.base
        pocket = account.pockets.get((SPOT, asset))
        need = cost if side is Side.BUY else instrument.base_minor(lots)
        return pocket is not None and pocket.free >= need

    def _shortage(
        self, sight: Sight, account: Account, instrument: Instrument, fair_e8: int
    ) -> float:
        """How much less an account holds than usual: from -1 (far more) to 1 (nothing)."""
        if instrument.kind == "spot":
            usual = self._stock[instrument.base]
            return min(max(1 - account.minor(SPOT, instrument.base) / usual, -1.0), 1.0)
        lots = sight.position_lots(account, instrument.symbol)
        held_e8 = lots_to_value(instrument, fair_e8, lots)
        return min(max(-held_e8 / (POSITION * E8), -1.0), 1.0)


def _label(trader: int) -> str:
    return f"noise:{trader + 1}"
