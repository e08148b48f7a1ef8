# The shape of `volumes.py` as C knows it.
from risk.money cimport kept

cpdef object day_of(object time_ms)

cdef class Volumes:
    cdef public dict _before
    cdef public dict _days
    cdef public dict terms
    cdef public dict told

    cpdef bint add(self, object kind, object day, object minor)
    cpdef object forget(self, object day)

cdef class FeeDay:
    cdef public object _cursor
    cdef public object day
    cdef public object due
    cdef public bint looking
    cdef public object traders

    cpdef object begin(self, object day)
    cpdef object next_account(self)
