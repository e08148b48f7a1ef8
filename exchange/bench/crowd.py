"""A venue with a great many positions: a few that were really traded, copied in its snapshot.

Pairs of accounts open their positions by orders, and the risk scan leaves bands for them.  The
state of each pair then becomes that of many more, and an engine is restored from it as after a
restart: what stands in the copies is what trading, settling and scanning made.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from exchange.bench.mixed import HOUR_AT_MS, ONE_E8
from exchange.commands import (
    AnyCommand,
    Borrow,
    Continue,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
    Tick,
)
from exchange.engine import Engine
from exchange.events import Answered
from exchange.venue import default_venue
from matching.types import Side
from risk.account import PERP
from risk.ledger import FIRST_ACCOUNT, WORLD
from risk.parameters import HOUR_MS, Grant, Venue

CROSS: Final = "BTC-USDT-PERP"
ISOLATED: Final = "ETH-USDT-PERP"
PRICES_E8: Final = {"BTC": 50_000 * ONE_E8, "ETH": 2_500 * ONE_E8}
PAIRS: Final = 20
LEVERAGES: Final = (2, 3, 4, 5, 8)  # Far from liquidation: a tick of some hundredths hurts nobody.
NEAR_LEVERAGE: Final = 100
SIZE_USDT: Final = 100  # Of the smallest positions; the largest are five times as large.
LOAN_USDT: Final = 100
FOREVER_MS: Final = 10**12

Rows = list[Any]


class Crowd:
    """An engine with many positions, and commands to move it on."""

    def __init__(self, positions: int, *, near: int = 0, loans: bool = False) -> None:
        """About `positions` of them, half cross and half isolated; `near` accounts beside them
        stand close to liquidation; with `loans` each account owes USDT in cross margin too."""
        # With loans the hour is about to end, else it has just begun: no tick settles anything.
        start_ms = HOUR_AT_MS + (-60_000 if loans else 60_000)
        venue = _venue(start_ms)
        self.engine = Engine(venue)
        self.time_ms = start_ms
        self._traded(bool(near))
        self.accounts = max(2 * PAIRS, positions // 2)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.engine.state()))
        copied(state, self.accounts - 2 * PAIRS, near)
        self.engine = Engine.restored(venue, state)
        self.positions = sum(len(each.positions) for each in self.engine.risk.accounts.values())
        if loans:
            self._lend()

    def do(self, kind: type, /, **fields: Any) -> Answered:
        """Apply one command at the crowd's present moment; its answer."""
        answer = self.engine.apply(self.made(kind, **fields))[-1]
        assert isinstance(answer, Answered)
        return answer

    def made(self, kind: type, /, **fields: Any) -> AnyCommand:
        """The next command, to be applied by the caller."""
        command: AnyCommand = kind(seq=self.engine.seq + 1, time_ms=self.time_ms, **fields)
        return command

    def finish(self) -> None:
        """Do all the work that is pending."""
        while self.engine.pending_work:
            self.do(Continue)

    def second(self, prices_e8: dict[str, int]) -> None:
        """New prices, which the grid point of the next second will make marks of."""
        self.do(FeedPrices, feed="reference", prices_e8=prices_e8, stale_ms=FOREVER_MS)
        self.time_ms += 1_000

    def _traded(self, near: bool) -> None:
        """Pairs that hold the two sides of the same trades, by orders as anybody gives them."""
        self.second(PRICES_E8)
        self._ok(Tick)
        pairs = PAIRS + (1 if near else 0)
        for number in range(2 * pairs):
            self._ok(OpenAccount, label=f"crowd {number}")
        for pair in range(pairs):
            close = pair == PAIRS
            leverage = NEAR_LEVERAGE if close else LEVERAGES[pair % len(LEVERAGES)]
            for side in Side:
                account_id = FIRST_ACCOUNT + 2 * pair + side
                self._ok(SetMarginMode, account_id=account_id, symbol=ISOLATED, isolated=True)
                self._ok(SetLeverage, account_id=account_id, symbol=ISOLATED, leverage=leverage)
                for symbol in (ISOLATED,) if close else (ISOLATED, CROSS):
                    self._trade(account_id, symbol, side, SIZE_USDT * (1 + pair % 5))
        self.time_ms += 1_000
        self._ok(Tick)
        self.finish()  # The scan has left the bands.

    def _lend(self) -> None:
        """A loan for every account, as anybody asks for one."""
        for account_id in range(FIRST_ACCOUNT, self.engine.risk.next_account_id):
            self._ok(
                Borrow,
                account_id=account_id,
                wallet="margin",
                asset="USDT",
                amount_minor=LOAN_USDT * ONE_E8,
            )
        self.time_ms += 1_000
        self._ok(Tick)
        self.finish()

    def _trade(self, account_id: int, symbol: str, side: Side, usdt: int) -> None:
        instrument = self.engine.instruments[symbol]
        price_e8 = PRICES_E8[instrument.base]
        lots = usdt * ONE_E8 * ONE_E8 // (price_e8 * instrument.lot_minor)
        self._ok(
            PlaceOrder,
            account_id=account_id,
            symbol=symbol,
            side=side,
            lots=lots,
            price_ticks=price_e8 // instrument.tick_e8,
            wallet=PERP,
        )

    def _ok(self, kind: type, /, **fields: Any) -> None:
        answer = self.do(kind, **fields)
        assert answer.reason is None, (kind, fields, answer)


def _venue(start_ms: int) -> Venue:
    """Bitcoin and ether, priced by the feed alone; accounts with little money each."""
    venue = default_venue(
        seed=1,
        start_ms=start_ms,
        symbols=("BTC-USDT", "ETH-USDT", CROSS, ISOLATED),
        funding_interval_ms=HOUR_MS,
        prices="fixed",
    )
    grants = (Grant(PERP, "USDT", 2_000 * ONE_E8), Grant("margin", "USDT", 200 * ONE_E8))
    return msgspec.structs.replace(venue, deposits=grants)


def copied(state: dict[str, Any], accounts: int, near: int) -> None:
    """Add so many accounts to a state, copies of the pairs in turn, and copies of the near pair.

    What the copies own comes from the world, so that the books of the house still balance.
    """
    risk = state["risk"]
    originals = [each for each in risk["accounts"] if each["id"] >= FIRST_ACCOUNT]
    ledger = _by_owner(risk["ledger"])
    bands = _by_owner(risk["watch"][0])
    sources = [originals[place % (2 * PAIRS)] for place in range(accounts - accounts % 2)]
    sources += [originals[2 * PAIRS + place % 2] for place in range(near + near % 2)]
    owned: dict[str, int] = {}
    for account_id, source in enumerate(sources, risk["next_account_id"]):
        risk["accounts"].append(source | {"id": account_id})
        for row in ledger[source["id"]]:
            risk["ledger"].append([account_id, *row[1:]])
            owned[row[2]] = owned.get(row[2], 0) + row[3]
        for row in bands.get(source["id"], ()):
            risk["watch"][0].append([account_id, *row[1:]])
    risk["next_account_id"] += len(sources)
    for row in risk["ledger"]:
        if row[0] == WORLD:
            row[3] -= owned.get(row[2], 0)


def _by_owner(rows: Rows) -> dict[int, Rows]:
    """Rows by the account id they begin with."""
    found: dict[int, Rows] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found
