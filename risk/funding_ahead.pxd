# The shape of `funding_ahead.py` as C knows it.
cimport cython
from risk.account cimport Account
from risk.contract cimport Contract
from risk.money cimport half_even_div
from risk.position cimport Position
from risk.state cimport RiskState

cpdef object funding_cap_e12(object parameters)
@cython.locals(contract=Contract, held=Position)
cpdef object funding_ahead_minor(RiskState state, Account account, object legs, object slack_e28)
