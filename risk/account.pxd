# The shape of `account.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.ledger cimport Pocket
from risk.position cimport Position
from risk.volumes cimport Volumes

cpdef object isolated_wallet(object symbol)
cpdef object position_wallet(object leg)
cpdef object leg_of(object symbol, object position_side)
cpdef bint closes_leg(object side, object position_side)
cpdef object side_of(object leg)

cdef class Loan:
    cdef public object allowance_e18
    cdef public object asset
    cdef public object interest_e18
    cdef public object loan_id
    cdef public object principal_minor
    cdef public object wallet

cdef class Setting:
    cdef public bint isolated
    cdef public object leverage

cdef class OpenOrders:
    cdef public object buy_lots
    cdef public object buy_minor
    cdef public object held_minor
    cdef public object sell_lots
    cdef public object sell_minor

    cpdef object add(self, object side, object lots, object minor)
    cpdef tuple values(self)

cdef class Job:
    cdef public object covered_minor
    cdef public object fee_e28
    cdef public object round

cdef class Account:
    cdef public dict asleep
    cdef public dict call_told
    cdef public dict called
    cdef public dict client_orders
    cdef public object epoch
    cdef public object event_n
    cdef public bint fee_discount
    cdef public bint hedge
    cdef public object id
    cdef public object kind
    cdef public object label
    cdef public dict liquidating
    cdef public dict loans
    cdef public object margin_leverage
    cdef public bint multi_asset
    cdef public dict open_counts
    cdef public dict open_perp
    cdef public dict order_loans
    cdef public dict orders
    cdef public dict perp_interest_e18
    cdef public dict pockets
    cdef public dict positions
    cdef public dict recent
    cdef public dict reducing
    cdef public dict settings
    cdef public object settled
    cdef public Volumes volumes

    cpdef object rouse(self, Order order)
    cpdef Setting setting(self, object symbol)
    cpdef Setting own_setting(self, object symbol)
    @cython.locals(pocket=Pocket)
    cpdef object minor(self, object wallet, object asset)
    @cython.locals(pocket=Pocket)
    cpdef object free(self, object wallet, object asset)
    @cython.locals(held=Position)
    cpdef object lots(self, object leg)
    cpdef list legs(self, object symbol)
    @cython.locals(setting=Setting)
    cpdef bint is_isolated(self, object symbol)
