# The shape of `watch.py` as C knows it.
cimport cython

cdef class _Bounds:
    cdef public list heap
    cdef public object live

cdef class Watch:
    cdef public dict _allowances
    cdef public dict _bands
    cdef public dict _high
    cdef public dict _low
    cdef public dict _touched
    cdef public object _version
    cdef public dict due

    cpdef object touch(self, object account_id, object scope)
    cpdef bint awaits(self, object account_id, object scope)
    cpdef object gather(self)
    cpdef object spend(self, object account_id, object scope, object amount)
    cpdef object put(self, object account_id, object scope, list bands, object allowance=*)
    cpdef object drop(self, object account_id, object scope)
    cpdef object move(self, object source, object price_e8)
    @cython.locals(bounds=_Bounds)
    cpdef object _push(self, dict side, object source, object entry)
    cpdef bint _is_live(self, object entry)
    cpdef object _fire(self, _Bounds bounds, object signed_price)

cdef object _within_reach(object band)
