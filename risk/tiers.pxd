# The shape of `tiers.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account
from risk.state cimport RiskState
from risk.volumes cimport Volumes

cpdef object terms_of(RiskState state, Account account, object kind)
cpdef object volume_minor(RiskState state, object fill)
@cython.locals(order=Order, volumes=Volumes)
cpdef object count_trade(RiskState state, object fill)
cpdef object begin_day(RiskState state, object day)
cpdef bint is_day_due(RiskState state)
cpdef object tell_tiers(RiskState state, object budget)
@cython.locals(volumes=Volumes)
cdef object _tell(RiskState state, Account account)
