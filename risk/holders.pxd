# The shape of `holders.py` as C knows it.
cimport cython
from risk.account cimport Account
from risk.position cimport Position

cdef class Holders:
    cdef public dict _noted
    cdef public dict _sides

    @cython.locals(held=Position)
    cpdef object note(self, Account account, object leg)
    cpdef object after(self, object symbol, bint is_long, object holding)
    cpdef list of(self, object symbol, bint is_long)
    cpdef object count(self, object symbol, bint is_long)
    cpdef list sample(self, object symbol, bint is_long, object most)
