# The shape of `reserve_asleep.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account, side_of
from risk.contract cimport Contract
from risk.reserve_spot cimport refuse_wallet, rehold, resting_need
from risk.state cimport RiskState

cpdef object reserve_asleep(RiskState state, Account account, Order order)
@cython.locals(contract=Contract)
cpdef object refuse_asleep_contract(RiskState state, Account account, Order order)
