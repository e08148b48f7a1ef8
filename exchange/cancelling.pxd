# The shape of `cancelling.py` as C knows it.
cimport cython
from exchange.trading cimport Trading
from matching.types cimport Order
from risk.account cimport Account

@cython.locals(order=Order)
cpdef object cancel(Trading trading, Account account, object order_id, object client_id)
@cython.locals(order=Order)
cpdef object cancel_list(Trading trading, Account account, object list_id)
cpdef object cancel_all(Trading trading, Account account, object wish)
