# The shape of `margin_bands.py` as C knows it.
cimport cython
from risk.account cimport Account, Loan
from risk.loan_tiers cimport levels
from risk.loans cimport debt_e28, hour_of_interest_e18
from risk.margin_worth cimport wallet_assets
from risk.state cimport RiskState

@cython.locals(loan=Loan)
cpdef object watch_margin(RiskState state, Account account, object wallet, object worth)
cpdef dict interest_ahead(RiskState state, Account account, object wallet)
cdef object _hour_e18(RiskState state, Loan loan)
cdef object _slack_e40(RiskState state, Account account, object wallet, object worth, object ahead)
@cython.locals(loan=Loan)
cdef list _weights_e40(
    RiskState state, Account account, object wallet, object level_e12, object ahead
)
