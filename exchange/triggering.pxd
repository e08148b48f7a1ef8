# The shape of `triggering.py` as C knows it.
cimport cython
from exchange.reducing cimport closes
from exchange.trading cimport Trading
from matching.types cimport Order
from risk.account cimport Account
from risk.reserve cimport reserve
from risk.reserve_asleep cimport reserve_asleep
from risk.reserve_spot cimport asleep_hold_ticks, rehold, resting_need, spot_need

cpdef object send(Trading trading, Account account, object wish)
@cython.locals(order=Order)
cdef object _place_asleep(Trading trading, Account account, object wish)
cpdef object fall_asleep(Trading trading, Account account, Order order, bint late=*)
cpdef object refuse_wish(Trading trading, Account account, object wish)
cpdef object refuse_asleep(
    Trading trading, Account account, Order order, Order instead_of=*, bint late=*
)
cdef object _refuse_reached(Trading trading, Order order, bint late)
@cython.locals(order=Order)
cpdef object drain(Trading trading, object limit)
@cython.locals(account=Account)
cdef object _wake(Trading trading, Order order)
cdef object _end_rivals(Trading trading, Account account, Order order)
cdef object _admit_woken(Trading trading, Account account, Order order)
cdef object _turn_away(Trading trading, Account account, Order order, object reason)
cpdef object amend_asleep(Trading trading, Account account, Order order, object wish)
