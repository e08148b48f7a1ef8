# The shape of `depth.py` as C knows it.
from matching.book cimport Book

cdef class Depth:
    cdef public Book _book
    cdef public object last_id

    cpdef object difference(self)
    cpdef object snapshot(self, object count)

cpdef object fold(dict lots_by_ticks, object totals)
