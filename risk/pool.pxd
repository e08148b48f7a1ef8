# The shape of `pool.py` as C knows it.
from risk.loans cimport pool_rate_e12
from risk.state cimport RiskState

cpdef object inventory_minor(RiskState state, object asset)
cpdef object lent_minor(RiskState state, object asset)
cpdef object pool_minor(RiskState state, object asset)
cpdef dict fix_rates(RiskState state)
