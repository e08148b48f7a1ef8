# The shape of `book.py` as C knows it; a key is a price in ticks, or minus that.
cimport cython
from matching.ladder cimport Ladder
from matching.types cimport Entry, Level

cdef object _BUY, _SELL, _GTC, _FOK, _GTD, _NEW, _EXPIRED_IN_MATCH
cdef object _CANCEL, _EXPIRE, _FOK_UNFILLABLE, _NO_LIQUIDITY
cdef object _NO_PREVENTION, _PARTIALLY_FILLED, _FILLED, _CANCELLED
cdef long long NOTHING, _NOBODY

cdef class Book:
    cdef public dict orders
    cdef public bint collecting
    cdef public dict _levels
    cdef public Ladder _bids
    cdef public Ladder _asks
    cdef public long long _ranks
    cdef public set _touched
    cdef public object _expiries
    cdef public object next_expiry_ms
    cdef public object next_expiry_id

    @cython.locals(
        opposite=Ladder, key=cython.longlong, price_ticks=cython.longlong, happened=list,
        level=Level, last=Entry,
    )
    cpdef list place(self, Entry order, long long worst_ticks=*, long long fills_max=*)
    @cython.locals(order=Entry, level=Level)
    cpdef Entry cancel(self, object order_id, object happening=*, object reason=*)
    @cython.locals(level=Level)
    cpdef object lessen(self, Entry order, long long lots)

    @cython.locals(wanted=cython.longlong, reach=cython.longlong)
    cdef object _take(
        self, Entry taker, Ladder opposite, long long key, long long worst_ticks,
        long long fills_max, list happened
    )
    @cython.locals(
        price_ticks=cython.longlong, affordable=cython.longlong, unwanted=cython.longlong
    )
    cdef object _sweep_amount(
        self, Entry taker, Ladder opposite, long long reach, long long fills_max, list happened
    )
    @cython.locals(
        level=Level, maker=Entry, own=cython.longlong,
        price_ticks=cython.longlong, lots=cython.longlong, taken=cython.longlong,
        room=cython.longlong,
    )
    cdef long long _take_level(
        self, Ladder opposite, Entry taker, long long wanted, long long fills_max, list happened
    ) except? -1
    @cython.locals(level=Level)
    cdef long long _prevent(
        self, Entry maker, Entry taker, long long wanted, list happened
    ) except? -1

    cdef Level _open(self, long long key, long long price_ticks)
    @cython.locals(before=Entry, after=Entry)
    cdef object _unlink(self, Entry order, Level level)
    cdef object _touch(self, Level level)
    cdef object _show_next(self, Entry order, Level level)
    @cython.locals(key=cython.longlong)
    cdef object _close(self, Level level)

cdef object _end(Entry order, object happening, object reason)
