# The shape of `reserve_spot.py` as C knows it.
cimport cython
from matching.book cimport Book
from matching.types cimport Order
from risk.account cimport Account
from risk.borrowing cimport borrow, repay, wallet_holds
from risk.ledger cimport Pocket
from risk.money cimport ceil_div, charged
from risk.state cimport RiskState

cpdef tuple spot_need(RiskState state, Order order, Book book, object worst_ticks)
cpdef tuple resting_need(RiskState state, Order order)
cpdef object asleep_hold_ticks(RiskState state, Order order)
cdef object _with_fee(RiskState state, object cost_minor)
cpdef object affordable(RiskState state, object free_minor)
cpdef object held_in_all(RiskState state, Order order)
cpdef object spent_minor(RiskState state, Order order)
cpdef object reserve_spot(
    RiskState state, Account account, Order order, Book book, object worst_ticks
)
@cython.locals(pocket=Pocket)
cpdef object rehold(RiskState state, Account account, Order order, object asset, object need)
cpdef object refuse_short(RiskState state, Account account, Order order, object asset, object need)
cpdef object refuse_wallet(RiskState state, Account account, Order order)
