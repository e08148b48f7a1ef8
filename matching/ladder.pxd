# The shape of `ladder.py` as C knows it.
cimport cython

cdef class Ladder:
    cdef public long long best
    cdef public list keys

    cpdef object add(self, long long key)
    @cython.locals(keys=list)
    cpdef object remove(self, long long key)
