"""How assets walk, and the hours of calm, trend and panic they walk through."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from exchange.market.draws import Draws


class Character(NamedTuple):
    """How an asset walks."""

    sigma_e6: int  # Deviation of one second's return, in millionths, in an hour of trend.
    common: float  # Correlation with the market as a whole.
    pause_s: int  # Seconds between its prints.
    jumps_per_day: float  # Its own, besides those of the whole market.


CHARACTERS: Final = {
    "BTC": Character(85, 0.92, 1, 0.3),
    "ETH": Character(110, 0.88, 1, 0.4),
    "SOL": Character(150, 0.78, 2, 0.7),
    "BNB": Character(120, 0.72, 2, 0.8),
    "XRP": Character(150, 0.66, 3, 3),
    "LTC": Character(145, 0.70, 4, 3),
    "LINK": Character(165, 0.64, 4, 3),
    "AVAX": Character(175, 0.64, 4, 3),
    "ADA": Character(165, 0.64, 4, 3),
    "DOGE": Character(180, 0.60, 3, 3),
    "NEAR": Character(195, 0.55, 5, 3),
    "ARB": Character(200, 0.52, 5, 3),
    "INJ": Character(210, 0.50, 5, 4),
    "CHZ": Character(230, 0.42, 5, 5),
    "GALA": Character(250, 0.42, 5, 5),
}
UNKNOWN_CHARACTER: Final = Character(220, 0.45, 5, 4)


MAJOR_COMMON: Final = 0.72  # From this correlation on, an asset's moods are the market's.


def character(asset: str) -> Character:
    """How an asset walks; one that nobody knows walks like a small one."""
    return CHARACTERS.get(asset, UNKNOWN_CHARACTER)


class Regime(NamedTuple):
    """What an hour is like: how much livelier than usual, and where it leans."""

    name: str  # "calm", "trend" or "panic"
    liveliness: float  # Factor on every deviation.
    lean: float  # Drift of a second, in deviations of a second.
    jumpiness: float  # Factor on the number of jumps.


TREND_LEAN: Final = 0.021  # An hour of trend moves a price by 1.3 of its hourly deviations.
CALM: Final = Regime("calm", 0.55, 0.0, 0.5)
RISE: Final = Regime("trend", 1.0, TREND_LEAN, 1.0)
FALL: Final = Regime("trend", 1.0, -TREND_LEAN, 1.0)
PANIC: Final = Regime("panic", 2.6, -0.028, 8.0)


class Mood(NamedTuple):
    """What a day is like: how likely an hour of it is to be of panic, or of trend."""

    panic: float
    trend: float


QUIET_DAY: Final = Mood(0.005, 0.15)
USUAL_DAY: Final = Mood(0.03, 0.30)
QUIET_SHARE: Final = 0.5  # Of all days, so many are quiet,
USUAL_SHARE: Final = 0.4  # so many are as usual, and the rest is stormy.
STORMY_DAY: Final = Mood(0.16, 0.40)


@lru_cache(maxsize=4_096)
def mood_at(seed: int, name: str, day: int) -> Mood:
    """The mood of a day (counted from 1970)."""
    draw = Draws(seed, f"{name} day", day).uniform()
    if draw < QUIET_SHARE:
        return QUIET_DAY
    return USUAL_DAY if draw < QUIET_SHARE + USUAL_SHARE else STORMY_DAY


@lru_cache(maxsize=4_096)
def regime_at(seed: int, name: str, hour: int) -> Regime:
    """The regime of an hour (counted from 1970), of the "market" or of one asset by its name."""
    mood = mood_at(seed, name, hour // 24)
    draws = Draws(seed, f"{name} hour", hour)
    kind = draws.uniform()
    if kind < mood.panic:
        return PANIC
    if kind < mood.panic + mood.trend:
        return RISE if draws.chance(0.52) else FALL
    return CALM
