"""One grid point of exchange time: samples, index, mark, then what falls due (DESIGN's order)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from matching.book import Book
from matching.invariants import hold
from risk.instants import Instant
from risk.ledger import FUNDING, ROUNDING, PostingReason
from risk.money import E12
from risk.parameters import HOUR_MS
from risk.pool import fix_rates
from risk.records import FundingRateRecord, IndexRecord, MarkRecord, RatesRecord
from risk.state import RiskState

NO_BOOK: Final = Book()  # What a mark makes of bids and asks that are only collected.


def sample(state: RiskState, books: Mapping[str, Book]) -> None:
    """Premium and basis samples of every perpetual; none while its index is frozen (P7)."""
    for symbol, perp in state.marks.items():
        if state.indexes[perp.index_symbol].fresh and not books[symbol].collecting:
            perp.sample(books[symbol])


def refresh(
    state: RiskState,
    books: Mapping[str, Book],
    last_trade: Mapping[str, tuple[int, int]],
    now_ms: int,
) -> None:
    """Compute every index, then every mark; scopes whose bound a price reached become due."""
    thawed = False
    for symbol, index in state.indexes.items():
        book = books[symbol]
        was_fresh = index.fresh
        halted = symbol in state.halted  # Its prices are as old as the halt (T27).
        bid, ask = (0, 0) if halted else (book.best_bid_ticks, book.best_ask_ticks)
        if index.refresh(now_ms, bid, ask):
            assert index.index_e8 is not None
            state.tell(IndexRecord(symbol, index.index_e8))
            state.watch.move(symbol, index.index_e8)
        thawed = thawed or (index.fresh and not was_fresh)
    for symbol, perp in state.marks.items():
        index = state.indexes[perp.index_symbol]
        if not index.fresh or index.index_e8 is None:
            continue  # Frozen: without an index the mark stands (P7).
        last = last_trade.get(symbol)
        book = NO_BOOK if books[symbol].collecting else books[symbol]
        if perp.refresh(now_ms, index.index_e8, book, last[0] if last else None):
            assert perp.mark_e8 is not None
            state.tell(
                MarkRecord(
                    symbol,
                    index.index_e8,
                    perp.mark_e8,
                    perp.predicted_e12,
                    perp.next_funding_ms,
                )
            )
            state.watch.move(symbol, perp.mark_e8)
    if thawed:
        state.thaw()


def fall_due(state: RiskState, now_ms: int) -> None:
    """Fix the funding and interest of this instant; each account settles them later (A6)."""
    funding: dict[str, tuple[int, int]] = {}
    for symbol, perp in state.marks.items():
        if now_ms < perp.next_funding_ms:
            continue
        average_e12, samples = perp.premium.average_e12(), perp.premium.count
        rate_e12 = perp.fix_funding()
        if perp.mark_e8 is None:
            continue
        funding[symbol] = (rate_e12, perp.mark_e8)
        terms = perp.parameters
        record = FundingRateRecord(
            symbol,
            now_ms,
            rate_e12,
            perp.mark_e8,
            average_e12,
            samples,
            terms.interest_e12,
            terms.clamp_e12,
            terms.cap_k_e12 * terms.brackets[0].mmr_e12 // E12,
            terms.interval_ms,
        )
        state.tell(record)
    interest: dict[str, int] = {}
    if now_ms % HOUR_MS == 0:
        interest = fix_rates(state)
        state.tell(RatesRecord(now_ms, interest))
    if (funding or interest) and state.instants.exposed:
        instant = state.instants.open(now_ms)
        instant.funding = funding
        instant.interest = interest


def sweep(state: RiskState, budget: int) -> int:
    """Settle pending instants for the accounts that nothing else has touched; the work done."""
    done = 0
    while state.instants.unsettled and done < budget:
        account_id = state.instants.next_account()
        done += 1
        if account_id is None:
            for instant in state.instants.finish():
                _close(state, instant)
        else:
            state.settle(state.accounts[account_id])
    return done


def _close(state: RiskState, instant: Instant) -> None:
    """Everybody has settled: the funding that is left over is the rounding account's (A4, I4)."""
    for symbol in instant.funding:
        settle = state.instruments[symbol].settle
        transit = state.ledger.house(FUNDING, settle, f"{symbol}@{instant.number}")
        payers = max(1, instant.paid.get(symbol, 0))
        says = f"{transit.minor} units are over of {payers} positions"
        hold("I4", 0 <= transit.minor < payers, transit.wallet, says)
        state.ledger.post(
            transit,
            state.ledger.house(ROUNDING, settle),
            transit.minor,
            PostingReason.ROUNDING,
            instant.number,
        )
        state.ledger.drop_empty(transit)
