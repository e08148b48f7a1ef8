# The shape of `settle.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account
from risk.fees cimport discounted_minor
from risk.settle_contract cimport settle_contract_fill
from risk.settle_spot cimport settle_spot_fill
from risk.state cimport RiskState
from risk.tiers cimport count_trade

@cython.locals(order=Order)
cpdef tuple settle_fill(RiskState state, object fill, object trade_id)
@cython.locals(account=Account)
cdef object _discounted(RiskState state, Order order, object fill, object booked)
