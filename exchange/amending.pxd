# The shape of `amending.py` as C knows it.
cimport cython
from exchange.trading cimport Trading
from exchange.triggering cimport amend_asleep
from matching.types cimport Order
from risk.account cimport Account
from risk.borrowing cimport repay
from risk.ledger cimport Pocket
from risk.reserve cimport reserve
from risk.settle_contract cimport count_resting, uncount

cpdef object amend(Trading trading, Account account, Order order, object wish)
cdef object _reduce(Trading trading, Account account, Order order, object lots)
cdef object _repay_spare(Trading trading, Account account, Order order, object held)
cdef object _replace(Trading trading, Account account, Order order, object lots, object ticks)
@cython.locals(pocket=Pocket)
cdef object _reserve_in_place_of(
    Trading trading, Account account, Order old, Order fresh, object worst_ticks
)
cdef object _pass_on_loan(Trading trading, Account account, Order old, Order fresh, object held)
