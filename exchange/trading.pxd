# The shape of `trading.py` as C knows it.
cimport cython
from exchange.execution cimport Execution
from exchange.reducing cimport trim_moved
from matching.types cimport Order
from risk.account cimport Account, closes_leg, leg_of
from risk.reserve cimport reserve
from risk.reserve_spot cimport asleep_hold_ticks, spot_need

cdef class Trading(Execution):
    @cython.locals(order=Order)
    cpdef object place(self, Account account, object wish)
    @cython.locals(order=Order)
    cpdef object consider(self, Account account, object wish)
    @cython.locals(order=Order)
    cpdef object refuse_contract(self, Account account, object wish)
    @cython.locals(order=Order)
    cpdef Order order_of(self, object wish)
    cpdef object admit(self, Account account, Order order, Order instead_of=*)
    cpdef object _refuse_more(
        self, Account account, Order order, object worst_ticks, Order instead_of
    )
    cpdef object worst_ticks(self, Order order)
    cpdef object wanted_lots(self, Order order, object worst_ticks)
    @cython.locals(order=Order)
    cpdef Order force(
        self, Account account, object wallet, object symbol, object side, object lots,
        object limit_ticks, object leg=*
    )
    cpdef object run(self, Account account, Order order, object worst_ticks)
    cpdef object cancel_wallet(self, Account account, object wallet, object which=*)
    cpdef object cancel_everything(self, Account account, object reason)
    @cython.locals(order=Order)
    cpdef object cancel_each(self, list orders, object reason)
