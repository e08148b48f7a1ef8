# The shape of `settle_spot.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account
from risk.borrowing cimport repay
from risk.fees cimport discounted_minor, fee_minor, fee_rate_e12
from risk.ledger cimport Pocket
from risk.reserve_spot cimport resting_need
from risk.state cimport RiskState

cpdef tuple settle_spot_fill(RiskState state, object fill, object trade_id)
cdef object _release(RiskState state, Order order, object fill)
cdef Pocket _pocket(RiskState state, Order order, object asset)
@cython.locals(account=Account)
cdef object _receive(RiskState state, Order order, object fill, object trade_id)
@cython.locals(account=Account)
cdef tuple _fee(RiskState state, Order order, object fill, tuple received, object rate_e12)
@cython.locals(account=Account)
cpdef object unhold_spot(RiskState state, Order order)
