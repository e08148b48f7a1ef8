"""The basis trader: sells the contract that is dear against the coin, and buys the cheap one."""

from __future__ import annotations

from typing import Final

from exchange.commands import AnyCommand
from exchange.market.agents.purses import Money, Purse
from exchange.market.sight import E8, Sight, lots_at_least, take, value_to_lots
from matching.instrument import Instrument
from matching.types import Side
from risk.account import PERP, SPOT, Account

ENTER_E6: Final = 900  # A premium beyond this is sold, for fees and funding to be earned,
LEAVE_E6: Final = 200  # and bought back below this.
STEP_VALUE: Final = 10_000  # USDT of one order,
CAP_VALUE: Final = 500_000  # and of the whole position.
STOCK_VALUE: Final = 2 * CAP_VALUE  # Coins to begin with, so that a cheap contract can be bought.
LEVERAGE: Final = 5
EVERY_S: Final = 2
REACH_E6: Final = 500


class Basis:
    """One account that holds coins on spot and the opposite of their surplus as a contract."""

    def __init__(self, spot: Instrument, contract: Instrument, start_e8: int) -> None:
        self._spot = spot
        self._contract = contract
        self._stock_minor = STOCK_VALUE * E8 * E8 // start_e8
        self.label = f"basis:{contract.symbol}"

    def purses(self) -> list[Purse]:
        """Coins and cash for the one leg, margin for the other."""
        quote = self._spot.quote
        money = (
            Money(SPOT, self._spot.base, self._stock_minor),
            Money(SPOT, quote, STOCK_VALUE * E8),
            Money(PERP, quote, CAP_VALUE * E8),
        )
        return [Purse(self.label, money, ((self._contract.symbol, LEVERAGE),))]

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """Hedge what is held first; then take the premium, or let it go."""
        every = max(1, EVERY_S * 1_000 // sight.step_ms)
        account = sight.account(self.label)
        fair_e8 = sight.fair_e8(self._spot)
        if account is None or fair_e8 is None or sight.step % every:
            return []
        if account.liquidating or not sight.is_open(self._contract):
            return []
        return self._hedge(sight, account, fair_e8) or self._take_premium(sight, account, fair_e8)

    def _hedge(self, sight: Sight, account: Account, fair_e8: int) -> list[AnyCommand]:
        """Bring the coins to the stock less what the contract is long."""
        lots = sight.position_lots(account, self._contract.symbol)
        wanted_minor = self._stock_minor - lots * self._contract.lot_minor
        off_minor = wanted_minor - account.minor(SPOT, self._spot.base)
        change = abs(off_minor) // self._spot.lot_minor
        # Fees leave dust, and a top-up of the stock a surplus of coins: small ones are borne.
        if change < 4 * lots_at_least(self._spot, fair_e8):
            return []
        most = value_to_lots(self._spot, fair_e8, 2 * STEP_VALUE * E8)
        side = Side.BUY if off_minor > 0 else Side.SELL
        return [self._order(account, self._spot, side, min(change, most), fair_e8)]

    def _take_premium(self, sight: Sight, account: Account, fair_e8: int) -> list[AnyCommand]:
        """Sell the contract while it is dear, buy it while it is cheap, close in between."""
        book = sight.book(self._contract.symbol)
        tick_e8 = self._contract.tick_e8
        bid_e8, ask_e8 = book.best_bid_ticks * tick_e8, book.best_ask_ticks * tick_e8
        if not bid_e8 or not ask_e8:
            return []
        held = sight.position_lots(account, self._contract.symbol)
        cap = value_to_lots(self._contract, fair_e8, CAP_VALUE * E8)
        step = value_to_lots(self._contract, fair_e8, STEP_VALUE * E8)
        dear_e6 = (bid_e8 - fair_e8) * 1_000_000 // fair_e8
        cheap_e6 = (ask_e8 - fair_e8) * 1_000_000 // fair_e8
        side: Side | None = None
        if dear_e6 > ENTER_E6 and held > -cap:
            side = Side.SELL
        elif cheap_e6 < -ENTER_E6 and held < cap:
            side = Side.BUY
        elif held < 0 and cheap_e6 < LEAVE_E6:
            side, step = Side.BUY, min(step, -held)
        elif held > 0 and dear_e6 > -LEAVE_E6:
            side, step = Side.SELL, min(step, held)
        if side is None or step < lots_at_least(self._contract, fair_e8):
            return []
        return [
            self._order(
                account, self._contract, side, step, bid_e8 if side is Side.SELL else ask_e8
            )
        ]

    def _order(
        self, account: Account, instrument: Instrument, side: Side, lots: int, price_e8: int
    ) -> AnyCommand:
        reach = REACH_E6 if side is Side.BUY else -REACH_E6
        return take(account, instrument, side, lots, price_e8 * (1_000_000 + reach) // 1_000_000)
