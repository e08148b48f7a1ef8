"""What an example lets the engine's own functions reckon: prices and rates without an account."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from risk.adl import score
from risk.contract import Contract
from risk.funding import PremiumAverage, funding_rate_e12, impact_price, premium_e12
from risk.index import outlier_mean_e8, weighted_median_e8
from risk.mark import funding_price_e8, mark_price_e8, order_bounds_e8
from risk.money import E8, E12
from risk.parameters import HOUR_MS, PerpParameters, Venue
from tests.mechanics.reading import Value, number


def e8(text: str) -> int:
    """Decimal text as an integer of 10^-8."""
    return whole(number(text) * E8)


def e12(text: str) -> int:
    """A fraction or a percent as an integer of 10^-12."""
    return whole(number(text) * E12)


def whole(value: Fraction) -> int:
    """An integer that was told as one."""
    assert value.denominator == 1, value
    return value.numerator


def reckon(venue: Venue, words: list[str]) -> Value:
    """The result of a line like `reckon index 50010 50020`."""
    return RECKONED[words[0]](venue, words[1:])


def _index(venue: Venue, words: list[str]) -> Value:
    """Prices, each with its weight behind an x."""
    pairs = [word.partition("x") for word in words]
    prices = [(e8(price), int(weight or 1)) for price, _, weight in pairs]
    if venue.index_rule == "outlier_mean":
        return Fraction(outlier_mean_e8(prices, venue.outlier_e12), E8)
    return Fraction(weighted_median_e8(prices), E8)


def _mark(venue: Venue, words: list[str]) -> Value:
    """index I rate F left H of H basis B contract C; each but the index may be missing."""
    told = dict(zip(words[::2], words[1::2], strict=True))
    index = e8(told["index"])
    left, interval = (int(told.get(name, "8")) * HOUR_MS for name in ("left", "of"))
    return Fraction(
        mark_price_e8(
            index,
            funding_price_e8(index, e12(told.get("rate", "0")), left, interval),
            index + e8(told.get("basis", "0")),
            e8(told["contract"]) if "contract" in told else None,
            venue.perps[0].mark_band_e12,
        ),
        E8,
    )


def _premium(venue: Venue, words: list[str]) -> Value:
    """index I impact N bids Q@P Q@P asks Q@P Q@P, in a book of whole lots and ticks."""
    index, impact = e8(words[1]), e8(words[3])
    place = words.index("asks")
    sides = words[5:place], words[place + 1 :]
    prices = []
    for side in sides:
        levels = [
            (int(price), int(qty)) for qty, _, price in (each.partition("@") for each in side)
        ]
        prices.append(impact_price(levels, impact, E8, E8, index))
    return Fraction(premium_e12(prices[0], prices[1], index), E12)


def _average_premium(venue: Venue, words: list[str]) -> Value:
    average = PremiumAverage()
    for word in words:
        average.add(e12(word))
    return Fraction(average.average_e12(), E12)


def _funding_rate(venue: Venue, words: list[str]) -> Value:
    """SYMBOL premium P [every H]"""
    terms = _terms(venue, words[0])
    hours = int(words[4]) if len(words) > 3 else 8
    rate = funding_rate_e12(
        e12(words[2]),
        interest_e12=terms.interest_e12,
        clamp_e12=terms.clamp_e12,
        cap_k_e12=terms.cap_k_e12,
        mmr_e12=terms.brackets[0].mmr_e12,
        interval_ms=hours * HOUR_MS,
    )
    return Fraction(rate, E12)


def _terms(venue: Venue, symbol: str) -> PerpParameters:
    return next(each for each in venue.perps if each.symbol == symbol)


def _maintenance(venue: Venue, words: list[str]) -> Value:
    """SYMBOL NOTIONAL, of a linear contract: one lot at a price that makes it so large."""
    instrument = next(each for each in venue.instruments if each.symbol == words[0])
    contract = Contract(instrument, _terms(venue, words[0]))
    price_e8 = e8(words[1]) * E8 // contract.lot_minor
    return Fraction(contract.maintenance_e28(1, price_e8), 10**28)


def _adl_score(venue: Venue, words: list[str]) -> Value:
    """long|short entry E mark M margin X, of one whole coin."""
    entry, mark, margin = (e8(words[place]) for place in (2, 4, 6))
    profit = mark - entry if words[0] == "long" else entry - mark
    found = score(entry, profit, mark, margin + profit)
    return Fraction(found.numerator, found.denominator)


def _highest_bid(venue: Venue, words: list[str]) -> Value:
    return Fraction(_bounds(venue, words)[0], E8)


def _lowest_ask(venue: Venue, words: list[str]) -> Value:
    return Fraction(_bounds(venue, words)[1], E8)


def _bounds(venue: Venue, words: list[str]) -> tuple[int, int]:
    """index I basis B"""
    terms = venue.perps[0]
    return order_bounds_e8(e8(words[1]), e8(words[3]), terms.entry_band_e12, terms.entry_limit_e12)


RECKONED: dict[str, Callable[[Venue, list[str]], Value]] = {
    "index": _index,
    "mark": _mark,
    "premium": _premium,
    "average-premium": _average_premium,
    "funding-rate": _funding_rate,
    "maintenance": _maintenance,
    "adl-score": _adl_score,
    "highest-bid": _highest_bid,
    "lowest-ask": _lowest_ask,
}
