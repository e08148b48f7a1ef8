# The shape of `execution.py` as C knows it.
cimport cython
from exchange.telling cimport Teller
from matching.book cimport Book
from matching.depth cimport Depth
from matching.triggers cimport Triggers
from matching.types cimport Order
from risk.account cimport Account
from risk.borrowing cimport repay_unused
from risk.reserve_spot cimport held_in_all, spent_minor
from risk.settle cimport settle_fill
from risk.settle_contract cimport count_resting, uncount
from risk.settle_spot cimport unhold_spot
from risk.state cimport RiskState

cdef class Execution:
    cdef public dict auctions
    cdef public dict averages
    cdef public dict books
    cdef public dict breakers
    cdef public object countdowns
    cdef public dict depths
    cdef public object fired
    cdef public dict held
    cdef public dict last_trade
    cdef public object lists
    cdef public object next_order_id
    cdef public RiskState risk
    cdef public dict states
    cdef public Teller teller
    cdef public dict touched_books
    cdef public dict trade_ids
    cdef public dict triggers
    cdef public dict tripped

    cpdef object spent(self, Order order)
    @cython.locals(book=Book)
    cpdef object match(self, Account account, Order order, object worst_ticks)
    @cython.locals(order=Order, teller=Teller, maker=Order, taker=Order)
    cpdef object _settle(self, object fill)
    cpdef object settle_auction(self, object happened)
    @cython.locals(account=Account)
    cpdef object _lost(self, Order order, object lots)
    cpdef object _rest(self, Account account, Order order, object reserved)
    cpdef object list_order(self, Account account, Order order)
    cpdef object close(self, Account account, Order order, object reserved_minor=*)
    @cython.locals(account=Account)
    cpdef object cancel(self, Order order, object reason, object happening=*)
    cpdef object shrunk(self, Account account, Order order, object less)
    @cython.locals(book=Book, triggers=Triggers)
    cpdef object expire_due(self, object now_ms, object limit)
    @cython.locals(order=Order)
    cpdef object _expire(self, object book, object now_ms, object limit)
    cpdef object make_ready(self, object symbol)
    @cython.locals(book=Book)
    cpdef object expire_first(self, object symbol)
    @cython.locals(triggers=Triggers)
    cpdef object look(self, object symbol, object fresh)
    cpdef object look_at_marks(self)
    cpdef object reference_e8(self, object symbol)
    cpdef object _index_e8(self, object symbol)
    cpdef object _average(self, object symbol, object fill)
    cpdef object price_e8(self, object symbol, object source)
    cpdef bint _is_calm(self, object symbol)
    @cython.locals(teller=Teller)
    cpdef object tell_depth(self)

cpdef object what_happened(Order order)
