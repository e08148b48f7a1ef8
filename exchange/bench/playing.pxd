# What the feeding loop reads, as C knows it.
cimport cython
from matching.book cimport Book
from matching.types cimport Entry

cdef object _BUY, _SELL, _GTC, _IOC, _NO_PREVENTION

@cython.locals(
    order=Entry, op=cython.int, side=cython.int, owner=cython.longlong,
    price_ticks=cython.longlong, lots=cython.longlong, cancel_op=cython.int,
    gtc_op=cython.int, market_op=cython.int, fills=list,
)
cpdef long long play(Book book, list records, list happened) except? -1
