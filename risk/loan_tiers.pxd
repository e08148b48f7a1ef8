# The shape of `loan_tiers.py` as C knows it.
from risk.account cimport Account
from risk.state cimport RiskState

cpdef object levels(RiskState state, Account account, object wallet)
cdef object _cross_levels(RiskState state, Account account)
cpdef object isolated_levels(object tier)
cpdef tuple pair_tiers(RiskState state, object wallet)
cpdef object tier_of(object tiers, object base_minor, object quote_minor)
