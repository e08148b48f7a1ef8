# cython: overflowcheck=True
"""An instrument: its tick, lot and bounds, and the one bridge between decimal text and integers."""

from typing import Final, Literal

import msgspec

from matching.limits import (
    ALGO_ORDERS_PER_ACCOUNT_SYMBOL_MAX,
    C_INTEGER_BOUND,
    ICEBERG_PARTS_MAX,
    LOTS_MAX,
    MINOR_PER_UNIT,
    MULTIPLIER_MAX_E4,
    MULTIPLIER_ONE_E4,
    NUMBER_CHARS_MAX,
    ORDERS_PER_ACCOUNT_SYMBOL_MAX,
    PRICE_TICKS_MAX,
    SCALE,
    SYMBOL_CHARS_MAX,
    TRAILING_BPS_MAX,
    TRAILING_BPS_MIN,
)
from matching.reasons import Reason
from matching.types import Side

_POWERS: Final[tuple[int, ...]] = tuple(10**places for places in range(NUMBER_CHARS_MAX + 1))


def minor(text: str, scale: int = SCALE, signed: bool = False) -> int | Reason:
    """Decimal text as a whole number of 10^-scale, exactly.

    Plain ASCII digits with at most one point between digits; a leading minus only where `signed`.
    Refused: anything else (MALFORMED_NUMBER), digits finer than the scale (AMOUNT_TOO_FINE).
    """
    if len(text) > NUMBER_CHARS_MAX or not text.isascii():
        return Reason.MALFORMED_NUMBER
    if signed and text[:1] == "-":
        magnitude = minor(text[1:], scale)
        return magnitude if isinstance(magnitude, Reason) else -magnitude
    whole, point, fraction = text.partition(".")
    if not whole.isdigit():
        return Reason.MALFORMED_NUMBER
    if not point:
        return int(whole) * _POWERS[scale]
    if not fraction.isdigit():
        return Reason.MALFORMED_NUMBER
    if len(fraction) > scale:
        if fraction[scale:].strip("0"):
            return Reason.AMOUNT_TOO_FINE
        fraction = fraction[:scale]
    return int(whole + fraction) * _POWERS[scale - len(fraction)]


def amount_text(amount_minor: int, scale: int = SCALE) -> str:
    """A whole number of 10^-scale as decimal text, without trailing zeros."""
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), _POWERS[scale])
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{str(rest).zfill(scale).rstrip('0')}"


def fixed_text(amount: int, places: int) -> str:
    """A whole number of 10^-places as decimal text, with exactly that many places."""
    if not places:
        return str(amount)
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), _POWERS[places])
    return f"{sign}{whole}.{str(rest).zfill(places)}"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One market, spot or perpetual (linear or inverse), and every bound its orders keep.

    `tick` and `lot` are exact decimal text; the integers below the second blank line are derived
    from them.  An instrument whose tick x lot is not exact in its quote is refused with a
    ValueError (A2), as is one whose largest order could overflow a C integer.  Multipliers are in
    units of 10^-4, and 0 means that the rule does not apply.
    """

    symbol: str
    kind: Literal["spot", "linear", "inverse"]
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    multiplier: str = "1"  # Of an inverse contract: what one is worth, in its quote.

    ticks_min: int = 1
    ticks_max: int = PRICE_TICKS_MAX
    lots_min: int = 1
    lots_max: int = LOTS_MAX
    market_lots_max: int = LOTS_MAX
    notional_min_minor: int = 5 * MINOR_PER_UNIT
    notional_max_minor: int = 10_000_000_000 * MINOR_PER_UNIT
    bid_up_e4: int = 12_000  # PERCENT_PRICE_BY_SIDE of section 6: a bid at most 1.2 x reference,
    bid_down_e4: int = 2_000  # and at least 0.2 x;
    ask_up_e4: int = 50_000  # an ask at most 5 x,
    ask_down_e4: int = 8_000  # and at least 0.8 x.
    execution_up_e4: int = 11_000  # S12b: no taker executes above 1.1 x reference,
    execution_down_e4: int = 9_000  # nor below 0.9 x.
    iceberg_parts_max: int = ICEBERG_PARTS_MAX
    orders_max: int = ORDERS_PER_ACCOUNT_SYMBOL_MAX
    algo_orders_max: int = ALGO_ORDERS_PER_ACCOUNT_SYMBOL_MAX  # Of these, still asleep,
    icebergs_max: int = ORDERS_PER_ACCOUNT_SYMBOL_MAX  # and that show a part of themselves.
    amends_max: int = 0  # How often one order may be changed in place; 0: as often as one likes.
    position_lots_max: int = 0  # MAX_POSITION of a pair: held and being bought; 0: no bound.
    base_order_max_minor: int = 0  # MAX_ASSET of a pair: what one order may move of its base,
    quote_order_max_minor: int = 0  # and of its quote; 0: no bound.
    breaker_move_bps: int = 0  # S13: a move of the last price by so much within five minutes
    breaker_auction_ms: int = 0  # leads to an auction of this length; 0: there is no breaker.
    trailing_bps_min: int = TRAILING_BPS_MIN  # TRAILING_DELTA: how far a trailing order may
    trailing_bps_max: int = TRAILING_BPS_MAX  # let the price turn back.

    tick_e8: int = 0  # 10^-8 of the quote in one tick.
    lot_minor: int = 0  # 10^-8 of the base in one lot.
    unit_minor: int = 0  # 10^-8 of the quote in one tick x one lot.
    face_minor: int = 0  # 10^-8 of the base in one lot; of an inverse contract, of the quote.
    price_places: int = 0  # Decimal places a price is shown with,
    qty_places: int = 0  # and a quantity.

    def __post_init__(self) -> None:
        tick_e8, lot_minor = _step(self.tick, "tick"), _step(self.lot, "lot")
        unit_minor, inexact = divmod(tick_e8 * lot_minor, MINOR_PER_UNIT)
        if inexact:
            raise ValueError(f"{self.symbol}: tick x lot is not exact in {self.quote}")
        derive = msgspec.structs.force_setattr
        derive(self, "tick_e8", tick_e8)
        derive(self, "lot_minor", lot_minor)
        derive(self, "unit_minor", unit_minor)
        derive(
            self, "face_minor", lot_minor * _step(self.multiplier, "multiplier") // MINOR_PER_UNIT
        )
        derive(self, "price_places", _places(tick_e8))
        derive(self, "qty_places", _places(lot_minor))
        self._refuse_bad_bounds()

    def _refuse_bad_bounds(self) -> None:
        """Raise ValueError, naming what is wrong, unless the bounds hang together."""
        sound = {
            "the symbol is empty or too long": 0 < len(self.symbol) <= SYMBOL_CHARS_MAX,
            "base, quote and settle must be named": all((self.base, self.quote, self.settle)),
            "an inverse contract settles in its base, any other instrument in its quote": (
                self.settle == (self.base if self.kind == "inverse" else self.quote)
            ),
            "only an inverse contract has a multiplier": (
                self.kind == "inverse" or self.multiplier == "1"
            ),
            "ticks_min and ticks_max are out of range": (
                0 < self.ticks_min <= self.ticks_max <= PRICE_TICKS_MAX
            ),
            "lots_min and lots_max are out of range": 0
            < self.lots_min
            <= self.lots_max
            <= LOTS_MAX,
            "ticks x lots could overflow": self.ticks_max * self.lots_max < C_INTEGER_BOUND,
            "market_lots_max is out of range": self.lots_min <= self.market_lots_max,
            "the notional bounds are crossed": (
                0 <= self.notional_min_minor <= self.notional_max_minor
            ),
            "orders_max is out of range": 0 < self.orders_max <= ORDERS_PER_ACCOUNT_SYMBOL_MAX,
            "algo_orders_max is out of range": (
                0 < self.algo_orders_max <= ALGO_ORDERS_PER_ACCOUNT_SYMBOL_MAX
            ),
            "icebergs_max is out of range": 0 < self.icebergs_max <= ORDERS_PER_ACCOUNT_SYMBOL_MAX,
            "amends_max is out of range": self.amends_max >= 0,
            "only a pair bounds what is held or moved of an asset": min(self._of_assets) >= 0
            and (self.kind == "spot" or not any(self._of_assets)),
            "the breaker needs a move and a length, or neither": (
                (0 < self.breaker_move_bps < MULTIPLIER_ONE_E4) is (self.breaker_auction_ms > 0)
                and min(self.breaker_move_bps, self.breaker_auction_ms) >= 0
            ),
            "the trailing bounds are out of range": (
                0 < self.trailing_bps_min <= self.trailing_bps_max < MULTIPLIER_ONE_E4
            ),
            "iceberg_parts_max is out of range": self.iceberg_parts_max > 0,
            "a multiplier up is below 1": all(
                not up or MULTIPLIER_ONE_E4 <= up <= MULTIPLIER_MAX_E4
                for up in (self.bid_up_e4, self.ask_up_e4, self.execution_up_e4)
            ),
            "a multiplier down is above 1": all(
                0 <= down <= MULTIPLIER_ONE_E4
                for down in (self.bid_down_e4, self.ask_down_e4, self.execution_down_e4)
            ),
        }
        for wrong, holds in sound.items():
            if not holds:
                raise ValueError(f"{self.symbol}: {wrong}")

    @property
    def _of_assets(self) -> tuple[int, int, int]:
        """The bounds on amounts of an asset."""
        return self.position_lots_max, self.base_order_max_minor, self.quote_order_max_minor

    def ticks(self, text: str) -> int | Reason:
        """A price's text as ticks, from `ticks_min` to `ticks_max`."""
        price_e8 = minor(text)
        if isinstance(price_e8, Reason):
            too_fine = price_e8 is Reason.AMOUNT_TOO_FINE
            return Reason.PRICE_NOT_ON_TICK if too_fine else price_e8
        ticks, off_tick = divmod(price_e8, self.tick_e8)
        if off_tick:
            return Reason.PRICE_NOT_ON_TICK
        return ticks if self.ticks_min <= ticks <= self.ticks_max else Reason.PRICE_OUT_OF_RANGE

    def lots(self, text: str) -> int | Reason:
        """A quantity's text as lots, from `lots_min` to `lots_max`."""
        qty_minor = minor(text)
        if isinstance(qty_minor, Reason):
            too_fine = qty_minor is Reason.AMOUNT_TOO_FINE
            return Reason.QTY_NOT_ON_LOT if too_fine else qty_minor
        lots, off_lot = divmod(qty_minor, self.lot_minor)
        if off_lot:
            return Reason.QTY_NOT_ON_LOT
        return lots if self.lots_min <= lots <= self.lots_max else Reason.QTY_OUT_OF_RANGE

    def price_text(self, ticks: int) -> str:
        """Ticks as a price's text, with the places of the tick."""
        return fixed_text(
            ticks * self.tick_e8 // _POWERS[SCALE - self.price_places], self.price_places
        )

    def qty_text(self, lots: int) -> str:
        """Lots as a quantity's text, with the places of the lot."""
        return fixed_text(
            lots * self.lot_minor // _POWERS[SCALE - self.qty_places], self.qty_places
        )

    def notional_minor(self, ticks: int, lots: int) -> int:
        """Price x quantity in minor units of the quote, exact by A2; inverse contracts at face."""
        if self.kind == "inverse":
            return lots * self.face_minor
        return ticks * lots * self.unit_minor

    def quote_minor(self, units: int, lots: int) -> int:
        """What fills of so many lots came to in the quote: their sum of ticks x lots is `units`."""
        return lots * self.face_minor if self.kind == "inverse" else units * self.unit_minor

    def base_minor(self, lots: int) -> int:
        """Lots in minor units of the base."""
        return lots * self.lot_minor

    def whole_lots(self, base_minor: int) -> int:
        """How many lots an amount of the base holds: what can be sold, the rest is dust (S10)."""
        return base_minor // self.lot_minor

    def whole_units(self, quote_minor: int) -> int:
        """An amount of the quote in ticks x lots, rounded down, so it is never overspent (S3)."""
        return quote_minor // self.unit_minor

    def worst_ticks(self, side: Side, reference_e8: int) -> int:
        """The last price at which a taker of that side may execute (S12b), or 0 without a rule.

        The range [reference x down, reference x up] is inclusive, so a buyer's bound rounds down
        to the tick and a seller's up.
        """
        step = self.tick_e8 * MULTIPLIER_ONE_E4
        if side is Side.SELL:
            return -(-reference_e8 * self.execution_down_e4 // step)
        if not reference_e8 or not self.execution_up_e4:
            return 0
        return max(1, min(reference_e8 * self.execution_up_e4 // step, self.ticks_max))


def _step(text: str, name: str) -> int:
    """A tick's or a lot's text in units of 10^-8; ValueError unless positive and exact."""
    step = minor(text)
    if isinstance(step, Reason):
        raise ValueError(f"the {name} {text!r} is no step: {step.value}")
    if step <= 0:
        raise ValueError(f"the {name} must be greater than zero")
    return step


def _places(step_e8: int) -> int:
    """The fewest decimal places that show every multiple of a step exactly."""
    places = SCALE
    while places and step_e8 % 10 == 0:
        step_e8 //= 10
        places -= 1
    return places
