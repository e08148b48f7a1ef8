# The shape of `book.py` as C knows it; a key is a price in ticks, or minus that.
cimport cython
from matching.types cimport Level, Order

cdef object _BUY, _GTC, _FOK, _GTD, _NEW, _EXPIRED_IN_MATCH
cdef dict _AFTER_PART_FILL, _AFTER_LAST_FILL
cdef long long _NOBODY

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

    @cython.locals(opposite=list, key=cython.longlong)
    cpdef list place(self, Order order, long long worst_ticks=*, long long fills_max=*)
    @cython.locals(order=Order, level=Level)
    cpdef Order cancel(self, object order_id, object happening=*, object reason=*)
    @cython.locals(level=Level)
    cpdef object lessen(self, Order order, long long lots)

    @cython.locals(happened=list, wanted=cython.longlong, reach=cython.longlong)
    cdef list _take(
        self, Order taker, list opposite, long long key, long long worst_ticks, long long fills_max
    )
    cdef object _sweep(
        self, Order taker, list opposite, long long reach, long long fills_max, list happened
    )
    @cython.locals(
        price_ticks=cython.longlong, affordable=cython.longlong, unwanted=cython.longlong
    )
    cdef object _sweep_amount(
        self, Order taker, list opposite, long long reach, long long fills_max, list happened
    )
    @cython.locals(
        level=Level, ends=Order, maker=Order, own=cython.longlong,
        price_ticks=cython.longlong, lots=cython.longlong, taken=cython.longlong,
    )
    cdef long long _take_level(
        self, list opposite, Order taker, long long wanted, long long fills_max, list happened
    ) except? -1
    @cython.locals(level=Level)
    cdef long long _prevent(
        self, Order maker, Order taker, long long wanted, list happened
    ) except? -1

    cdef object _rest_or_expire(self, Order order, long long key)
    @cython.locals(level=Level, ends=Order, last=Order)
    cpdef object _rest(self, Order order, long long key)
    @cython.locals(before=Order, after=Order)
    cdef object _unlink(self, Order order)
    cdef object _show_next(self, Order order, Level level)
    @cython.locals(key=cython.longlong, keys=list)
    cdef object _close(self, Level level)

cdef long long _reach(Order taker, long long key, long long worst_ticks) except? -1
cdef object _end(Order order, object happening, object reason)
