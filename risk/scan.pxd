# The shape of `scan.py` as C knows it.
cimport cython
from risk.account cimport Account
from risk.funding_ahead cimport funding_ahead_minor
from risk.loan_tiers cimport levels
from risk.margin_bands cimport watch_margin
from risk.margin_worth cimport margin_worth, wallet_assets
from risk.money cimport at_most, ceil_div
from risk.multi_asset cimport collateral_sources, is_multi, must_convert
from risk.perp_worth cimport perp_bands
from risk.position cimport Position
from risk.scopes cimport breached, has_fallen, perp_state, scope_legs, scope_of
from risk.state cimport RiskState

@cython.locals(account=Account)
cpdef object find_fallen(RiskState state, object _, object budget)
cpdef object liquidate_fallen(RiskState state, object road, object budget)
cdef list _take(RiskState state, object budget)
cdef object _check(RiskState state, Account account, object scope)
cdef object _check_perp(RiskState state, Account account, object scope)
cdef list _collateral(RiskState state, Account account, object scope)
cdef object _check_margin(RiskState state, Account account, object scope)
cdef object _call(RiskState state, Account account, object scope, object worth)
cpdef object check_overlooked(RiskState state, Account account)
@cython.locals(held=Position)
cdef list _scopes(RiskState state, Account account)
cdef object _liquidate(RiskState state, object road, Account account, object scope)
@cython.locals(account=Account)
cpdef object run_rounds(RiskState state, object road, object budget)
