# cython: overflowcheck=True
"""All the state of the risk engine in one place; the subjects beside it read and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sortedcontainers import SortedList

from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order
from risk.account import PERP, Account, Loan, position_wallet
from risk.contract import Contract
from risk.holders import Holders
from risk.instants import Instant, Instants
from risk.ledger import (
    CONVERSION,
    FIRST_ACCOUNT,
    FUNDING,
    INSURANCE,
    LIQUIDATION,
    POOL,
    ROUNDING,
    SOCIALIZED_LOSS,
    WORLD,
    Ledger,
    Pocket,
    PostingReason,
)
from risk.loans import hour_of_interest_e18, pool_rate_e12
from risk.marking import IndexState, PerpState
from risk.multi_asset import settle_wallet
from risk.parameters import AssetParameters, PerpParameters, SpotParameters, Venue
from risk.position import Position, symbol_of
from risk.ratio import Ratio
from risk.records import FundingRecord, InterestRecord, Record
from risk.tallies import Flow, Tallies
from risk.volumes import FeeDay, day_of
from risk.watch import Watch

if TYPE_CHECKING:
    from risk.adl import Deleveraging

ONE_E8: Final = 100_000_000
HOUSE_WITH_POSITIONS: Final = (
    (INSURANCE, "insurance"),
    (LIQUIDATION, "liquidation"),
    (SOCIALIZED_LOSS, "socialized_loss"),
    (CONVERSION, "conversion"),
)


class RiskState:
    """Accounts, ledger, prices and what is pending."""

    __slots__ = (
        "accounts",
        "assets",
        "bad_debt",
        "because",
        "coin_contracts",
        "contracts",
        "cross",
        "deleveraging",
        "fallen",
        "fee_day",
        "halted",
        "holders",
        "in_vain",
        "index_of",
        "indexes",
        "instants",
        "instruments",
        "interest_due",
        "interest_paid",
        "jobs",
        "jobs_later",
        "labels",
        "ledger",
        "marks",
        "moved",
        "next_account_id",
        "next_loan_id",
        "perps",
        "positions_touched",
        "rates_e12",
        "records",
        "refused",
        "rounded_e18",
        "spots",
        "tallies",
        "time_ms",
        "venue",
        "waiting",
        "watch",
    )

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.time_ms = venue.start_ms
        self._look_up(venue)
        self.ledger = Ledger()
        self.tallies = Tallies()
        self.accounts: dict[int, Account] = {}
        self.labels: dict[str, int] = {}  # Of agents: how they find their account again.
        self.next_account_id = FIRST_ACCOUNT
        self.next_loan_id = 1
        self.instants = Instants()
        self.watch = Watch()
        self.fee_day = FeeDay(day_of(venue.start_ms))
        self.records: list[Record] = []
        self.refused: Reason | None = None  # The last refusal of this command that told why,
        self.because: dict[str, int | str] = {}  # and the numbers that decided it.
        self.holders = Holders()
        self.fallen: SortedList[tuple[Ratio, int, str]] = SortedList()  # To liquidate, worst first.
        self.deleveraging: Deleveraging | None = None  # The one that seeks its counterparties.
        # Where nobody was found to take a position over: (mark_e8, ticks, time_ms) of that search.
        self.in_vain: dict[tuple[str, bool], tuple[int, int, int]] = {}  # By symbol and side.
        self.jobs: dict[tuple[int, str], None] = {}  # Liquidations with a round to do,
        self.jobs_later: dict[tuple[int, str], None] = {}  # and those that had theirs.
        self.waiting: dict[tuple[int, str], None] = {}  # Due, but an index or a book stands.
        self.halted: set[str] = set()  # Books that do not trade: liquidations wait (S13).
        self._open_pools()
        self.positions_touched: dict[tuple[int, str], None] = {}
        self.moved: dict[tuple[int, str], None] = {}  # Positions whose orders may be too large.
        self.indexes: dict[str, IndexState] = {
            instrument.symbol: IndexState(instrument, venue)
            for instrument in venue.instruments
            if instrument.kind == "spot" and instrument.quote == venue.quote
        }
        self.index_of = {  # By asset.
            self.instruments[symbol].base: index for symbol, index in self.indexes.items()
        }
        self.marks: dict[str, PerpState] = {
            perp.symbol: PerpState(self.instruments[perp.symbol], perp, venue)
            for perp in venue.perps
        }
        for owner, label in HOUSE_WITH_POSITIONS:
            self.accounts[owner] = Account(owner, "house", label)

    def _look_up(self, venue: Venue) -> None:
        """What the venue is made of, by name."""
        self.instruments: dict[str, Instrument] = {
            instrument.symbol: instrument for instrument in venue.instruments
        }
        self.assets: dict[str, AssetParameters] = {each.asset: each for each in venue.assets}
        self.spots: dict[str, SpotParameters] = {each.symbol: each for each in venue.spots}
        self.perps: dict[str, PerpParameters] = {each.symbol: each for each in venue.perps}
        self.contracts: dict[str, Contract] = {
            symbol: Contract(self.instruments[symbol], parameters)
            for symbol, parameters in self.perps.items()
        }
        self.coin_contracts: dict[str, Contract] = {  # By their wallet: one inverse each.
            contract.cross_wallet: contract
            for contract in self.contracts.values()
            if contract.inverse
        }
        self.cross = {levels.leverage: levels for levels in venue.cross}

    def _open_pools(self) -> None:
        """The lending pools: what they earned, are owed, and lost so far, by asset."""
        self.bad_debt: dict[str, int] = {}  # Principal that nobody repaid, by asset.
        self.interest_paid: dict[str, int] = {}  # What the pool earned, by asset.
        self.interest_due = dict.fromkeys(self.assets, 0)  # What it is still owed, 10^-18 (I2).
        self.rates_e12 = {each.asset: pool_rate_e12(each, 0, 1) for each in self.venue.assets}
        self.rounded_e18: dict[str, int] = {}  # Less than a unit an asset, held by the pool.

    # -- names ---------------------------------------------------------------------------------

    def pocket(self, account: Account, wallet: str, asset: str) -> Pocket:
        """An account's pocket; made and remembered where there was none."""
        found = account.pockets.get((wallet, asset))
        if found is None:
            found = self.ledger.pocket(account.id, wallet, asset)
            account.pockets[wallet, asset] = found
        return found

    def price_e8(self, asset: str) -> int | None:
        """What an asset is worth in the venue's quote, at the index; None before its first."""
        if asset == self.venue.quote:
            return ONE_E8
        index = self.index_of.get(asset)
        return index.index_e8 if index else None

    def mark_e8(self, symbol: str) -> int | None:
        """The mark of a perpetual; None before its first."""
        return self.marks[symbol].mark_e8

    def pocket_wallet(self, account: Account, leg: str) -> str:
        """The wallet that profit and loss of a leg go to: its own margin or a cross wallet."""
        contract = self.contracts.get(leg) or self.contracts[symbol_of(leg)]
        if account.is_isolated(contract.symbol):
            return position_wallet(leg)
        return contract.cross_wallet

    def cross_wallet(self, asset: str) -> str:
        """The cross wallet of contracts that settle in an asset."""
        return PERP if asset == self.venue.quote else f"{PERP}:{asset}"

    def wallet_asset(self, wallet: str) -> str:
        """What a cross wallet of perpetuals is reckoned in."""
        coin = "" if wallet == PERP else wallet.partition(":")[2]
        return coin or self.venue.quote

    def wallet_factor(self, wallet: str) -> int:
        """What a minor unit of a cross wallet is worth at the mark, in 10^-16 of the quote.

        Before the first mark it is anything: nothing but money can be in the wallet.
        """
        contract = self.coin_contracts.get(wallet)
        if contract is None:
            return ONE_E8
        return contract.factor(self.mark_e8(contract.symbol) or ONE_E8)

    def scope(self, account: Account, order: Order) -> str:
        """The margin scope an order's wallet belongs to ("spot" has none)."""
        return self.pocket_wallet(account, order.leg) if order.wallet == PERP else order.wallet

    def thaw(self) -> None:
        """An index or a book moves again: what waited for it is due."""
        self.watch.due.update(self.waiting)
        self.waiting.clear()

    # -- changes -------------------------------------------------------------------------------

    def tell(self, record: Record) -> None:
        """Note what happened, for the exchange to make its events of."""
        self.records.append(record)

    def refuse(self, reason: Reason, rule: str, **numbers: int | str) -> Reason:
        """The reason itself; the rule of MECHANICS that decided, and its numbers, are kept.

        A number's name ends in its unit (`fee_minor`, `mark_e8`, `qty_lots`); text and counts
        have none. `exchange.why` makes sentences of them.
        """
        self.refused = reason
        self.because = {"rule": rule, **numbers}
        return reason

    def touch_wallet(self, account: Account, wallet: str) -> None:
        """A wallet's worth changed: its scope is checked at the next scan."""
        if account.id < FIRST_ACCOUNT or wallet == "spot":
            return
        if self.deleveraging is not None:
            self.deleveraging.note(account)
        if wallet.startswith(PERP):
            if account.positions or (account.multi_asset and wallet == PERP):
                self.watch.touch(account.id, wallet)
        elif account.loans or account.called:
            self.watch.touch(account.id, wallet)

    def touch_position(self, account: Account, leg: str) -> None:
        """A position changed: it is told at the end of the command and checked at the scan."""
        self.positions_touched[account.id, leg] = None
        self.moved[account.id, leg] = None
        self.holders.note(account, leg)
        if self.deleveraging is not None:
            self.deleveraging.note(account)
        self.note_exposure(account)
        if account.id >= FIRST_ACCOUNT:
            wallet = self.pocket_wallet(account, leg)
            self.watch.touch(account.id, wallet)
            if "/" in wallet:  # Margin of an isolated position comes from the cross wallet.
                self.watch.touch(account.id, self.contracts[symbol_of(leg)].cross_wallet)

    def note_exposure(self, account: Account) -> None:
        """Keep the list of accounts that instants concern."""
        exposed = self.instants.exposed
        if account.exposed is not (account.id in exposed):
            (exposed.add if account.exposed else exposed.discard)(account.id)

    # -- instants ------------------------------------------------------------------------------

    def settle(self, account: Account) -> None:
        """Bring an account up to the newest instant, oldest first, before anything reads it."""
        if account.settled == self.instants.last:
            return
        for instant in self.instants.since(account.settled):
            self._settle_funding(account, instant)
            self._settle_interest(account, instant)
            if account.multi_asset:
                settle_wallet(self, account, instant.interest, instant.due_ms)
        account.settled = self.instants.last

    def _settle_funding(self, account: Account, instant: Instant) -> None:
        """P10: floor of -q x M x F per position; never capped, so that it sums to zero."""
        for leg, held in sorted(account.positions.items()) if instant.funding else ():
            symbol = held.symbol
            if symbol not in instant.funding:
                continue
            rate_e12, mark_e8 = instant.funding[symbol]
            contract = self.contracts[symbol]
            flow_minor = self.funding_flow(held, instant)
            instant.paid[symbol] = instant.paid.get(symbol, 0) + 1
            wallet = self.pocket_wallet(account, leg)
            transit = f"{symbol}@{instant.number}"
            pocket = self.pocket(account, wallet, contract.settle)
            self.ledger.post(
                self.ledger.house(FUNDING, contract.settle, transit),
                pocket,
                flow_minor,
                PostingReason.FUNDING,
                instant.number,
            )
            self.tallies.note(pocket, Flow.FUNDING, flow_minor)
            self.tell(
                FundingRecord(
                    account.id,
                    held.symbol,
                    held.lots,
                    mark_e8,
                    rate_e12,
                    flow_minor,
                    instant.due_ms,
                )
            )
            if account.id >= FIRST_ACCOUNT:
                self.watch.spend(account.id, wallet, -flow_minor)

    def funding_flow(self, held: Position, instant: Instant) -> int:
        """What a position receives at an instant, or pays when negative, in minor units (P10)."""
        rate_e12, mark_e8 = instant.funding[held.symbol]
        return self.contracts[held.symbol].flow_minor(held.lots, mark_e8, rate_e12)

    def _settle_interest(self, account: Account, instant: Instant) -> None:
        """M7: one hour on the principal outstanding, at that hour's rate; simple or compound."""
        for (_, asset), loan in sorted(account.loans.items()):
            rate_e12 = instant.interest.get(asset)
            if rate_e12 is None:
                continue
            charge_e18 = hour_of_interest_e18(
                loan.principal_minor, loan.interest_e18, rate_e12, self.venue.compound
            )
            self.charge_interest(
                account, loan, loan.principal_minor, rate_e12, charge_e18, instant.due_ms
            )

    def charge_interest(
        self,
        account: Account,
        loan: Loan,
        principal_minor: int,
        rate_e12: int,
        charge_e18: int,
        due_ms: int,
    ) -> None:
        """Add one hour of interest to what a loan owes, and the pool is owed.

        Bands allow for so much of it (`risk.margin_bands`); beyond that the wallet is checked.
        """
        loan.interest_e18 += charge_e18
        loan.allowance_e18 -= charge_e18
        self.interest_due[loan.asset] += charge_e18
        self.ledger.touched[self.pocket(account, loan.wallet, loan.asset)] = None
        self.tell(
            InterestRecord(
                account.id,
                loan.wallet,
                loan.asset,
                principal_minor,
                rate_e12,
                charge_e18,
                loan.interest_e18,
                due_ms,
            )
        )
        if loan.allowance_e18 < 0:
            self.touch_wallet(account, loan.wallet)

    def collect_excess(self, asset: str, excess_e18: int) -> None:
        """What rounding up took beyond the interest owed: whole units go to `rounding` (V26)."""
        units, rest = divmod(self.rounded_e18.get(asset, 0) + excess_e18, 10**10)
        self.rounded_e18[asset] = rest
        self.interest_paid[asset] = self.interest_paid.get(asset, 0) - units
        self.ledger.post(
            self.ledger.house(POOL, asset),
            self.ledger.house(ROUNDING, asset),
            units,
            PostingReason.ROUNDING,
        )

    # -- money from outside --------------------------------------------------------------------

    def deposit(
        self, account: Account, wallet: str, asset: str, minor: int, reason: PostingReason
    ) -> None:
        """Fictional money comes in from the world."""
        self.ledger.post(
            self.ledger.house(WORLD, asset), self.pocket(account, wallet, asset), minor, reason
        )
        self.touch_wallet(account, wallet)

    def grant(self, account: Account, reason: PostingReason) -> None:
        """What every new account gets (DESIGN section 3)."""
        for each in self.venue.deposits:
            self.deposit(account, each.wallet, each.asset, each.amount_minor, reason)
