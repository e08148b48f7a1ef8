# The shape of `bracketing.py` as C knows it.
cimport cython
from exchange.trading cimport Trading
from exchange.triggering cimport refuse_wish, send
from matching.types cimport Order
from risk.account cimport Account

cpdef object refuse_order(Trading trading, Account account, object wish)
@cython.locals(order=Order)
cpdef object refuse_bracket(Trading trading, Account account, object wish)
cpdef object refuse_entry(Trading trading, object made, Order order, object wish)
cdef bint _fits(object each, object instrument)
cdef object _entry_ticks(Trading trading, Order order)
cdef list _exits(object wish)
