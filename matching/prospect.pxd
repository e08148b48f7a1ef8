# The shape of `prospect.py` as C knows it.
from matching.types cimport Level, Order

cpdef object reach_of(Order taker, object key, object worst_ticks)
