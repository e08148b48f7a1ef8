# The shape of `tallies.py` as C knows it.
from risk.ledger cimport Pocket
from risk.money cimport kept

cdef class Tallies:
    cdef public dict _flows
    cdef public dict given
    cdef public dict returned
    cdef public dict taken

    cpdef object note(self, Pocket pocket, object flow, object minor)
    cpdef dict of(self, Pocket pocket)
    cpdef object give(self, object symbol, object lots)
    cpdef object take(self, object symbol, object lots)
    cpdef object give_up(self, object symbol, object lots)
    cpdef object check_given(self, object symbol, object seeking)

cdef object _sorted(dict counts)
