# The shape of `fees.py` as C knows it.
from matching.types cimport Order
from risk.account cimport Account
from risk.money cimport ceil_div, charged
from risk.state cimport RiskState
from risk.tiers cimport terms_of

cpdef object rates_e12(RiskState state, Account account, object kind)
cpdef object fee_minor(object amount_minor, object rate_e12)
cpdef object fee_rate_e12(RiskState state, Order order, object fill)
cpdef object discounted_minor(RiskState state, Account account, tuple received, object rate_e12)
