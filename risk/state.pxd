# The shape of `state.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account, Loan, position_wallet
from risk.contract cimport Contract
from risk.holders cimport Holders
from risk.instants cimport Instant, Instants
from risk.ledger cimport Ledger, Pocket
from risk.loans cimport hour_of_interest_e18, pool_rate_e12
from risk.multi_asset cimport settle_wallet
from risk.position cimport Position, symbol_of
from risk.tallies cimport Tallies
from risk.volumes cimport FeeDay, day_of
from risk.watch cimport Watch

cdef class RiskState:
    cdef public dict accounts
    cdef public dict assets
    cdef public dict bad_debt
    cdef public dict because
    cdef public dict coin_contracts
    cdef public dict contracts
    cdef public dict cross
    cdef public object deleveraging
    cdef public object fallen
    cdef public FeeDay fee_day
    cdef public set halted
    cdef public Holders holders
    cdef public dict in_vain
    cdef public dict index_of
    cdef public dict indexes
    cdef public Instants instants
    cdef public dict instruments
    cdef public dict interest_due
    cdef public dict interest_paid
    cdef public dict jobs
    cdef public dict jobs_later
    cdef public dict labels
    cdef public Ledger ledger
    cdef public dict marks
    cdef public dict moved
    cdef public object next_account_id
    cdef public object next_loan_id
    cdef public dict perps
    cdef public dict positions_touched
    cdef public dict rates_e12
    cdef public list records
    cdef public object refused
    cdef public dict rounded_e18
    cdef public dict spots
    cdef public Tallies tallies
    cdef public object time_ms
    cdef public object venue
    cdef public dict waiting
    cdef public Watch watch

    cpdef object _look_up(self, object venue)
    cpdef object _open_pools(self)
    cpdef Pocket pocket(self, Account account, object wallet, object asset)
    cpdef object price_e8(self, object asset)
    cpdef object mark_e8(self, object symbol)
    @cython.locals(contract=Contract)
    cpdef object pocket_wallet(self, Account account, object leg)
    cpdef object cross_wallet(self, object asset)
    cpdef object wallet_asset(self, object wallet)
    @cython.locals(contract=Contract)
    cpdef object wallet_factor(self, object wallet)
    cpdef object scope(self, Account account, Order order)
    cpdef object thaw(self)
    cpdef object tell(self, object record)
    cpdef object touch_wallet(self, Account account, object wallet)
    cpdef object touch_position(self, Account account, object leg)
    cpdef object note_exposure(self, Account account)
    cpdef object settle(self, Account account)
    @cython.locals(contract=Contract, held=Position, pocket=Pocket)
    cpdef object _settle_funding(self, Account account, Instant instant)
    cpdef object funding_flow(self, Position held, Instant instant)
    @cython.locals(loan=Loan)
    cpdef object _settle_interest(self, Account account, Instant instant)
    cpdef object charge_interest(
        self, Account account, Loan loan, object principal_minor, object rate_e12,
        object charge_e18, object due_ms
    )
    cpdef object collect_excess(self, object asset, object excess_e18)
    cpdef object deposit(
        self, Account account, object wallet, object asset, object minor, object reason
    )
    cpdef object grant(self, Account account, object reason)
