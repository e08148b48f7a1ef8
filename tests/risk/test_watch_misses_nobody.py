"""The watch against looking at everybody: at every price, whoever is in breach was made due.

Positions and loans are planted, so that every kind of scope is there: linear, inverse and hedged
contracts, cross and isolated, wallets of several assets, cross and isolated spot margin, with
funding and interest paid in between.
"""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from risk.account import Account, Loan, position_wallet
from risk.contract import Contract
from risk.instants import Instant
from risk.margin_liquidation import margin_breached
from risk.margin_worth import margin_worth
from risk.marking import PerpState
from risk.parameters import PerpParameters
from risk.position import Position
from risk.scan import find_fallen
from risk.scopes import breached, scope_of
from risk.state import RiskState
from risk.watch import Scope
from tests.risk.contracts import contract_of
from tests.story import Story, units

LINEAR = {"BTC": "BTC-USDT-PERP", "ETH": "ETH-USDT-PERP"}
INVERSE = "BTC-USD-PERP"
START = {"BTC": units("50000"), "ETH": units("2500")}
ROOM = [1, 3, 10, 50]  # What somebody has beyond a fortieth of their size, in parts of the same.

holdings = st.lists(
    st.tuples(
        st.sampled_from(
            ["cross", "isolated", "hedge", "both", "inverse", "coins", "margin", "pair"]
        ),
        st.booleans(),  # Long or short; a loan of the quote or of the coin.
        st.sampled_from(["BTC", "ETH"]),
        st.sampled_from(ROOM),
    ),
    min_size=5,
    max_size=25,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["BTC", "ETH", "funding", "interest"]),
        st.integers(-600, 600),  # Parts of ten thousand; of funding, of a million.
    ),
    min_size=5,
    max_size=40,
)


class Venue:
    """A risk engine with people in it, and prices that only the test moves."""

    def __init__(self) -> None:
        self.story = Story()
        self.risk: RiskState = self.story.engine.risk
        self._add_inverse()
        self.prices = dict(START)
        self.fallen: set[Scope] = set()
        for base in START:
            self.move(base, 0)

    def _add_inverse(self) -> None:
        risk = self.risk
        brackets = risk.perps[LINEAR["BTC"]].brackets
        contract: Contract = contract_of(brackets, inverse=True, multiplier="100")
        risk.instruments[INVERSE] = contract.instrument
        parameters = risk.perps[INVERSE] = _parameters(risk, INVERSE)
        risk.contracts[INVERSE] = Contract(contract.instrument, parameters)
        risk.marks[INVERSE] = PerpState(contract.instrument, parameters, risk.venue)

    def move(self, base: str, parts: int) -> None:
        """Index and marks of an asset move, and the watch is told."""
        price_e8 = self.prices[base] = self.prices[base] * (10_000 + parts) // 10_000
        symbols = [LINEAR[base], *([INVERSE] if base == "BTC" else [])]
        self.risk.indexes[f"{base}-USDT"].index_e8 = price_e8
        self.risk.indexes[f"{base}-USDT"].fresh = True
        self.risk.watch.move(f"{base}-USDT", price_e8)
        for symbol in symbols:
            self.risk.marks[symbol].mark_e8 = price_e8
            self.risk.watch.move(symbol, price_e8)

    def fund(self, rate_e12: int) -> None:
        """A funding instant of every contract, and everybody settles it."""
        instant = self.risk.instants.open(self.risk.time_ms)
        instant.funding = {
            symbol: (rate_e12, perp.mark_e8 or 0) for symbol, perp in self.risk.marks.items()
        }
        self._settle(instant)

    def charge(self) -> None:
        """An hour of interest on every loan."""
        instant = self.risk.instants.open(self.risk.time_ms)
        instant.interest = dict.fromkeys(("USDT", "BTC", "ETH"), 200_000_000)  # 0.02 %.
        self._settle(instant)

    def _settle(self, instant: Instant) -> None:
        for account in self.people:
            self.risk.settle(account)
        self.risk.instants.pending.remove(instant)

    # -- people --------------------------------------------------------------------------------

    @property
    def people(self) -> list[Account]:
        return [each for each in self.risk.accounts.values() if each.id >= 100]

    def join(self, kind: str, long: bool, base: str, room: int) -> None:
        """Somebody with a size of 1 BTC or 20 ETH at the present price, and little behind it."""
        account = self.story.engine.risk.open_account("user", kind)
        price_e8, size = self.prices[base], 10**8 * (1 if base == "BTC" else 20)
        value_minor = size * price_e8 // 10**8
        money = value_minor // 40 + value_minor // 40 // room
        if kind in ("margin", "pair"):
            self._lend(account, kind, long, base, (size, value_minor, room))
        elif kind == "inverse":
            self._hold(account, INVERSE, INVERSE, long)
            self._give(account, "perp:BTC", "BTC", money * 10**8 // price_e8)
        else:
            symbol = LINEAR[base]
            self._hold(account, symbol, symbol + ("/LONG" if kind == "hedge" else ""), long)
            if kind == "hedge":
                self._hold(account, symbol, f"{symbol}/SHORT", False, share=3)
            if kind == "both":
                self._hold(account, LINEAR["ETH"], LINEAR["ETH"], not long)
                money += money
            account.own_setting(symbol).isolated = kind == "isolated"
            if kind == "coins":
                money = self._give_coins(account, base, money)
            wallet = position_wallet(symbol) if kind == "isolated" else "perp"
            self._give(account, wallet, "USDT", money)
        self.risk.note_exposure(account)
        for scope in scopes(self.risk, account):
            self.risk.watch.touch(account.id, scope)

    def _give_coins(self, account: Account, base: str, money: int) -> int:
        """Multi-asset mode: coins of the other kind that count for twice the money, half of it
        owed; what is left to give of the quote."""
        account.multi_asset = True
        other = "ETH" if base == "BTC" else "BTC"
        counts_e8 = self.prices[other] * self.risk.assets[other].perp_ratio_e12 // 10**12
        self._give(account, "perp", other, 2 * money * 10**8 // counts_e8 + 1)
        return -money

    def _hold(self, account: Account, symbol: str, leg: str, long: bool, share: int = 1) -> None:
        contract = self.risk.contracts[symbol]
        base = symbol.partition("-")[0]
        price_e8, size = self.prices[base], 10**8 * (1 if base == "BTC" else 20) // share
        lots = size // contract.lot_minor
        if contract.inverse:
            lots = size * price_e8 // 10**8 // contract.lot_minor
        lots = lots if long or leg.endswith("/LONG") else -lots
        account.positions[leg] = Position(leg, lots, _cost(contract, lots, price_e8))

    def _lend(
        self, account: Account, kind: str, quote: bool, base: str, sizes: tuple[int, int, int]
    ) -> None:
        """A loan of the quote that bought coins, or of coins that were sold."""
        size, value_minor, room = sizes
        wallet = "margin" if kind == "margin" else f"isolated:{base}-USDT"
        asset, owed = ("USDT", value_minor) if quote else (base, size)
        held, has = (base, size) if quote else ("USDT", value_minor)
        loan = account.loans[wallet, asset] = Loan(1, wallet, asset)
        loan.principal_minor = owed
        self._give(account, wallet, held, has + has // 8 + has // 8 // room)

    def _give(self, account: Account, wallet: str, asset: str, minor: int) -> None:
        self.risk.pocket(account, wallet, asset).minor += minor

    # -- looking -------------------------------------------------------------------------------

    def scan(self) -> None:
        """Look at whoever is due; who is in breach has fallen, and is left alone from now on."""
        risk = self.risk
        risk.watch.gather()
        find_fallen(risk, self.story.engine.trading, 10**9)
        self.fallen |= {(account_id, scope) for _, account_id, scope in risk.fallen}
        risk.fallen.clear()

    def in_breach(self) -> set[Scope]:
        """Everybody, looked at exactly."""
        found: set[Scope] = set()
        for account in self.people:
            for scope in scopes(self.risk, account):
                if _is_breached(self.risk, account, scope):
                    found.add((account.id, scope))
        return found


def scopes(risk: RiskState, account: Account) -> set[str]:
    """The scopes an account has."""
    found = {scope_of(risk, account, leg) for leg in account.positions}
    return found | {loan.wallet for loan in account.loans.values()}


def _is_breached(risk: RiskState, account: Account, scope: str) -> bool:
    if scope.startswith("perp"):
        return breached(risk, account, scope)
    return margin_breached(risk, account, scope, margin_worth(risk, account, scope))


def _parameters(risk: RiskState, symbol: str) -> PerpParameters:
    """As the linear contract has them, with brackets in coin."""
    linear = risk.perps[LINEAR["BTC"]]
    return msgspec.structs.replace(linear, symbol=symbol)


def _cost(contract: Contract, lots: int, price_e8: int) -> int:
    """What a position at the present mark has cost: so that its profit is next to nothing."""
    if contract.inverse:
        return -lots * contract.lot_minor * 10**8 // price_e8
    return lots * contract.lot_minor * price_e8 // 10**8


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(holdings, steps)
def test_a8_i9_at_every_price_whoever_is_in_breach_was_made_due(
    crowd: list[tuple[str, bool, str, int]], path: list[tuple[str, int]]
) -> None:
    """The prices move between scans, so that a band is all that stands between them."""
    venue = Venue()
    for kind, long, base, room in crowd:
        venue.join(kind, long, base, room)
    venue.scan()
    for what, parts in path:
        if what == "funding":
            venue.fund(parts * 10**6)
        elif what == "interest":
            venue.charge()
        else:
            venue.move(what, parts)
        missed = {
            scope
            for scope in venue.in_breach() - venue.fallen
            if not venue.risk.watch.awaits(*scope)
        }
        assert not missed, (what, parts, missed)
        venue.scan()
        venue.risk.watch.check()


def test_people_do_fall_and_most_are_never_looked_at() -> None:
    """So that what is above does not hold for want of breaches, or because all are due always."""
    venue = Venue()
    for base in START:
        for kind in ("cross", "isolated", "hedge", "both", "inverse", "coins", "margin", "pair"):
            for long in (True, False):
                for room in ROOM:
                    venue.join(kind, long, base, room)
    venue.scan()
    venue.move("BTC", 1)
    venue.fund(10**8)
    venue.charge()
    venue.risk.watch.gather()
    everybody = sum(len(scopes(venue.risk, account)) for account in venue.people)
    assert len(venue.risk.watch.due) < everybody // 2
    for parts in (-300, -300, 900, 900):
        venue.move("BTC", parts)
        venue.scan()
    kinds = {scope.partition(":")[0].partition("/")[0] for _, scope in venue.fallen}
    assert kinds == {"perp", "margin", "isolated"}
    assert {"perp:BTC", f"perp/{LINEAR['BTC']}"} <= {scope for _, scope in venue.fallen}
