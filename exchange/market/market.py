"""The living market as sources of the sequencer: outside prices, and agents that trade on them.

Everything is decided from the seed, the moment and the engine's state, so a market that was
stopped goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from exchange.commands import AnyCommand, FeedPrices
from exchange.engine import Engine
from exchange.market.agents.arbitrage import Basis
from exchange.market.agents.makers import Maker
from exchange.market.agents.momentum import (
    GAMBLERS,
    PACES,
    Crowd,
    Gambler,
    MarginMomentum,
    Momentum,
)
from exchange.market.agents.noise import Noise
from exchange.market.agents.purses import Agent, Purse, openings, refills
from exchange.market.agents.quoting import in_order
from exchange.market.prehistory import Prehistory
from exchange.market.prices import FixedPrices, PriceSource, WalkPrices, next_on_grid
from exchange.market.sight import E8, Sight, standing_prints
from exchange.market.tape import Tape, TapePrices
from exchange.sequencer import Source
from matching.instrument import Instrument
from risk.parameters import Venue

AGENT_STEP_MS: Final = 1_000
COMMANDS_PER_S_MAX: Final = 250  # Of the house; those of noise traders come on top.
REFILL_STEPS: Final = 10  # Every so many steps the agents' purses are looked at.
NOISE_PARTS: Final = 4  # Noise traders come four times a step, between the others.
MARGIN_ASSETS: Final = ("BTC", "ETH", "SOL")  # What followers trade with borrowed money on spot.


def opening_prices(venue: Venue, tapes: Mapping[str, Tape] | None = None) -> dict[str, int]:
    """Each asset's price at the first moment, in 10^-8 of the quote; the tape's where it has one.

    An asset whose tape begins later opens at the tape's first price.
    """
    prices = {
        asset.asset: asset.start_price_e8 for asset in venue.assets if asset.asset != venue.quote
    }
    for asset, tape in (tapes or {}).items():
        if asset in prices:
            prices[asset] = tape.price_at(venue.start_ms) or tape.file.first.open_e8
    return prices


def prehistory(venue: Venue, tapes: Mapping[str, Tape] | None = None) -> Prehistory:
    """What happened before the venue's first moment."""
    prices = opening_prices(venue, tapes)
    return Prehistory(venue.seed, venue.start_ms, venue.instruments, prices, tapes)


def market(
    venue: Venue,
    from_ms: int,
    *,
    tapes: Mapping[str, Tape] | None = None,
    agents: bool = True,
    agent_step_ms: int = AGENT_STEP_MS,
) -> list[Source]:
    """The sources of a venue, to go on behind `from_ms`: the engine's time at the start.

    `venue.prices` says where prices come from; "tape" needs `tapes` by base asset. AssertionError
    where it lacks them: that is a mistake of the caller.
    """
    start = opening_prices(venue, tapes)
    prices = _prices(venue, start, tapes, agent_step_ms)
    if not agents:
        return [House(venue, prices, from_ms, agent_step_ms, [], [])]
    makers = [
        Maker(venue.seed, each, _start_e8(each, start), start.get(each.quote, E8))
        for each in venue.instruments
    ]
    others = _others(venue, start)
    noise = Noise(venue.seed, list(venue.instruments), start, venue.quote)
    return [
        House(venue, prices, from_ms, agent_step_ms, makers, others, noise.purses()),
        NoiseSource(venue, prices, from_ms, agent_step_ms // NOISE_PARTS, noise),
    ]


def _prices(
    venue: Venue, start: dict[str, int], tapes: Mapping[str, Tape] | None, agent_step_ms: int
) -> PriceSource:
    """The source that the genesis record names; prices step no faster than those who follow."""
    if venue.prices == "fixed":
        return FixedPrices(start)
    walk = WalkPrices(venue.seed, start, max(AGENT_STEP_MS, agent_step_ms))
    if venue.prices == "walk":
        return walk
    assert tapes, "prices from a tape need one"
    played = {asset: tape for asset, tape in tapes.items() if asset in start}
    return TapePrices(played, walk)


def _start_e8(instrument: Instrument, start: Mapping[str, int]) -> int:
    """An instrument's opening price, in 10^-8 of its own quote."""
    return start[instrument.base] * E8 // start.get(instrument.quote, E8)


def _others(venue: Venue, start: Mapping[str, int]) -> list[Agent]:
    """Everybody but makers and noise: basis traders, crowds, followers and gamblers."""
    spots = {each.base: each for each in venue.instruments if _is_spot(each, venue.quote)}
    contracts = [each for each in venue.instruments if each.kind == "linear"]
    made: list[Agent] = []
    for contract in contracts:
        made.append(Basis(spots[contract.base], contract, start[contract.base]))
        made.append(Crowd(venue.seed, contract))
        made += [Momentum(venue.seed, contract, pace) for pace in PACES]
        made += [Gambler(venue.seed, contract, number + 1) for number in range(GAMBLERS)]
    made += [MarginMomentum(venue.seed, spots[a]) for a in MARGIN_ASSETS if a in spots]
    return made


def _is_spot(instrument: Instrument, quote: str) -> bool:
    return instrument.kind == "spot" and instrument.quote == quote


class House:
    """Prices and the agents that follow them at once: one step is one list of commands.

    Both belong together, as makers must move in the very step in which a price is printed.
    """

    def __init__(
        self,
        venue: Venue,
        prices: PriceSource,
        from_ms: int,
        step_ms: int,
        makers: Sequence[Maker],
        others: Sequence[Agent],
        more_purses: Sequence[Purse] = (),
    ) -> None:
        self._venue = venue
        self._prices = prices
        self._step_ms = step_ms
        self._makers = makers
        self._others = others
        self._purses = [purse for maker in makers for purse in maker.purses()]
        self._purses += [purse for agent in others for purse in agent.purses()]
        self._purses += more_purses
        self._due_ms = self._after(from_ms)

    def next_due_ms(self) -> int | None:
        """The next print, or the agents' next step."""
        return self._due_ms

    def commands(self, now_ms: int, engine: Engine) -> list[AnyCommand]:
        """Prices first; then quotes away from them, quotes towards them, and the other agents."""
        self._due_ms = self._after(now_ms)
        standing = standing_prints(engine)
        made: list[AnyCommand] = []
        for printed in self._printed(now_ms, standing):
            standing.update(printed.prices_e8)
            made.append(printed)
        if self._purses:
            sight = Sight(self._venue.seed, now_ms, self._step_ms, engine, self._prices, standing)
            made += self._acted(sight)
        return made

    def _after(self, now_ms: int) -> int:
        due_ms = self._prices.next_due_ms(now_ms)
        return min(due_ms, next_on_grid(now_ms, self._step_ms)) if self._makers else due_ms

    def _printed(self, now_ms: int, standing: Mapping[str, int]) -> list[FeedPrices]:
        """What the feed says at this moment, if it is one of its moments."""
        if self._prices.next_due_ms(now_ms - 1) != now_ms:
            return []
        return [
            FeedPrices(feed=self._venue.feeds[0], prices_e8=each.prices_e8, stale_ms=each.stale_ms)
            for each in self._prices.prints(now_ms, standing)
        ]

    def _acted(self, sight: Sight) -> list[AnyCommand]:
        """What the agents do; while they are still being set up, the next part follows at once."""
        made = openings(self._purses, sight)
        if not made and self._is_unfunded(sight):
            made = refills(self._purses, sight)
        if made:
            self._due_ms = sight.now_ms + 1
            return made
        if self._lacks_mark(sight) and sight.now_ms % self._venue.grid_ms == 0:
            self._due_ms = sight.now_ms + 1  # The marks come with this moment's commands.
        is_step = sight.now_ms % self._step_ms == 0
        if is_step and sight.step % REFILL_STEPS == 0:
            made = refills(self._purses, sight)
        made += in_order([maker.moves(sight) for maker in self._makers])
        if is_step:
            for agent in self._others:
                made += agent.commands(sight)
        if len(sight.engine.last_trade) < len(self._venue.instruments):
            return made  # Opening the books takes many orders, once.
        return made[: COMMANDS_PER_S_MAX * max(1, self._step_ms // 1_000)]

    def _is_unfunded(self, sight: Sight) -> bool:
        """Whether an agent has never been given anything."""
        accounts = (sight.account(purse.label) for purse in self._purses)
        return any(account is not None and not account.pockets for account in accounts)

    def _lacks_mark(self, sight: Sight) -> bool:
        """Whether a perpetual waits for its first mark."""
        return any(sight.engine.risk.mark_e8(perp.symbol) is None for perp in self._venue.perps)


class NoiseSource:
    """Noise traders, who come between the steps of the others."""

    def __init__(
        self, venue: Venue, prices: PriceSource, from_ms: int, step_ms: int, noise: Noise
    ) -> None:
        self._venue = venue
        self._prices = prices
        self._step_ms = max(1, step_ms)
        self._noise = noise
        self._due_ms = self._after(from_ms)

    def next_due_ms(self) -> int | None:
        """The middle of the next step."""
        return self._due_ms

    def commands(self, now_ms: int, engine: Engine) -> list[AnyCommand]:
        """Whoever arrives."""
        self._due_ms = self._after(now_ms)
        prints = standing_prints(engine)
        sight = Sight(self._venue.seed, now_ms, self._step_ms, engine, self._prices, prints)
        return self._noise.commands(sight)

    def _after(self, now_ms: int) -> int:
        half = self._step_ms // 2
        return next_on_grid(now_ms - half, self._step_ms) + half
