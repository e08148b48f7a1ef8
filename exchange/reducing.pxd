# The shape of `reducing.py` as C knows it.
cimport cython
from exchange.execution cimport Execution
from matching.types cimport Order
from risk.account cimport Account

@cython.locals(account=Account)
cpdef object trim_moved(Execution execution)
@cython.locals(order=Order)
cdef object _end_sleepers(Execution execution, Account account, object leg)
@cython.locals(order=Order)
cdef object _trim(Execution execution, Account account, object leg)
cpdef list reducible(Account account, object leg)
cpdef bint closes(Order order, object held)
cdef tuple _nearest_first(Order order)
