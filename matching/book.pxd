# The shape of `book.py` as C knows it; a key is a price in ticks, or minus that.
from matching.types cimport Level, Order

cdef class Book:
    cdef public dict orders
    cdef public bint collecting
    cdef public dict _levels
    cdef public list _bids
    cdef public list _asks
    cdef public long long _ranks
    cdef public set _touched
    cdef public object _expiries
    cdef public object next_expiry_ms
    cdef public object next_expiry_id

    cpdef list place(self, Order order, long long worst_ticks=*, long long fills_max=*)
    cpdef Order cancel(self, object order_id, object happening=*, object reason=*)
    cpdef object lessen(self, Order order, long long lots)

    cdef list _take(
        self, Order taker, list opposite, long long key, long long worst_ticks, long long fills_max
    )
    cdef object _sweep(
        self, Order taker, list opposite, long long reach, long long fills_max, list happened
    )
    cdef object _sweep_amount(
        self, Order taker, list opposite, long long reach, long long fills_max, list happened
    )
    cdef long long _take_level(
        self, list opposite, Order taker, long long wanted, long long fills_max, list happened
    ) except? -1
    cdef long long _prevent(
        self, Order maker, Order taker, long long wanted, list happened
    ) except? -1

    cdef object _rest_or_expire(self, Order order, long long key)
    cpdef object _rest(self, Order order, long long key)
    cdef object _unlink(self, Order order)
    cdef object _show_next(self, Order order, Level level)
    cdef object _close(self, Level level)

cdef long long _reach(Order taker, long long key, long long worst_ticks) except? -1
cdef object _end(Order order, object happening, object reason)
