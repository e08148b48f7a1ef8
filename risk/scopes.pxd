# The shape of `scopes.py` as C knows it.
cimport cython
from risk.account cimport Account
from risk.contract cimport Contract
from risk.fees cimport rates_e12
from risk.margin cimport must_liquidate
from risk.perp_worth cimport cross_state, position_worth, unrealised_e16
from risk.position cimport Position, symbol_of
from risk.state cimport RiskState

cpdef object scope_of(RiskState state, Account account, object leg)
cpdef bint is_cross(object scope)
cpdef object scope_leg(object scope)
cpdef list scope_legs(RiskState state, Account account, object scope)
@cython.locals(contract=Contract)
cpdef tuple perp_state(RiskState state, Account account, object scope)
cpdef bint breached(RiskState state, Account account, object scope)
cpdef bint has_fallen(list legs, object balance_e16, object maintenance_e28)
@cython.locals(contract=Contract, held=Position)
cpdef object bankruptcy_of(RiskState state, Account account, object scope, object leg)
