# The shape of `reserve_contract.py` as C knows it.
cimport cython
from matching.book cimport Book
from matching.types cimport Order
from risk.account cimport Account, OpenOrders, side_of
from risk.contract cimport Contract
from risk.fees cimport rates_e12
from risk.money cimport ceil_div, charged
from risk.perp_worth cimport leg_margins, perp_worth
from risk.position cimport Position
from risk.state cimport RiskState

@cython.locals(held=Position)
cdef object _reserve_reducing(RiskState state, Account account, Order order)
@cython.locals(sums=OpenOrders, supposed=OpenOrders)
cpdef tuple contract_requirement(RiskState state, Account account, Order order, object likely)
@cython.locals(sums=OpenOrders)
cdef object _reach(Account account, Order order, object lots)
cdef bint _opens(Account account, Order order, object likely)
@cython.locals(contract=Contract)
cdef object _refuse_size(
    RiskState state, Account account, Order order, object likely, object mark_e8
)
@cython.locals(contract=Contract)
cdef object _open_loss_and_fees(
    RiskState state, Account account, Order order, object likely, object mark_e8
)
cdef object _opening(Account account, Order order, object likely)
