# The shape of `instants.py` as C knows it.

cdef class Instant:
    cdef public object due_ms
    cdef public dict funding
    cdef public dict interest
    cdef public object number
    cdef public dict paid

cdef class Instants:
    cdef public object _cursor
    cdef public object _target
    cdef public object exposed
    cdef public object last
    cdef public list pending

    cpdef Instant open(self, object due_ms)
    cpdef list since(self, object settled)
    cpdef object next_account(self)
    cpdef list finish(self)
