# The shape of `triggers.py` as C knows it.
from matching.types cimport Order

cdef class Triggers:
    cdef public object _expiries
    cdef public dict _queues
    cdef public object _tick_e8
    cdef public set due
    cdef public dict orders
    cdef public object trailing

    cpdef object add(self, Order order, object extreme_e8=*)
    cpdef object remove(self, Order order)
    cpdef object end(self, Order order, object happening, object reason)
    cpdef list fired(self, object source, object price_e8, bint calm=*, bint fresh=*)
    cpdef object _unqueue(self, Order order)
    cpdef list _take(self, object kind, object reached)
    cpdef object _key(self, Order order)

cdef object _kind(Order order)
