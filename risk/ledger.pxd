# The shape of `ledger.py` as C knows it.
cimport cython
from risk.money cimport kept

cdef class Pocket:
    cdef public object asset
    cdef public object locked
    cdef public object minor
    cdef public object owner
    cdef public object wallet

cdef class Ledger:
    cdef public dict _house
    cdef public dict _pockets
    cdef public list postings
    cdef public dict touched

    cpdef Pocket pocket(self, object owner, object wallet, object asset)
    cpdef Pocket find(self, object owner, object wallet, object asset)
    cpdef Pocket house(self, object owner, object asset, object wallet=*)
    cpdef object post(
        self, Pocket source, Pocket target, object minor, object reason, object reference=*
    )
    cpdef object lock(self, Pocket pocket, object minor)
    cpdef object unlock(self, Pocket pocket, object minor)
    cpdef object drop_empty(self, Pocket pocket)
    cpdef object house_minor(self, object owner, object asset, object wallet=*)
    cpdef list house_pockets(self, object owner)
    @cython.locals(pocket=Pocket)
    cpdef dict house_totals(self)
