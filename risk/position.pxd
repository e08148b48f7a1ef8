# The shape of `position.py` as C knows it.
from risk.money cimport half_even_div

cpdef object fill_effect(object lots, object cost_minor, object fill_lots, object value_minor)
cpdef object released_cost(object cost_minor, object closed_lots, object lots)
cpdef object symbol_of(object leg)

cdef class Position:
    cdef public object cost_minor
    cdef public object leg
    cdef public object lots
    cdef public object symbol
