# The shape of `margin_worth.py` as C knows it.
cimport cython
from risk.account cimport Account, Loan
from risk.loan_tiers cimport levels, pair_tiers
from risk.loans cimport (
    asset_e28, collateral_e28, debt_e28, max_borrow_minor, max_transfer_out_minor
)
from risk.perp_worth cimport max_perp_transfer_out
from risk.pool cimport inventory_minor
from risk.state cimport RiskState

cpdef list wallet_assets(Account account, object wallet)
@cython.locals(loan=Loan)
cpdef object margin_worth(RiskState state, Account account, object wallet)
cpdef object collateral_price_e8(RiskState state, object asset)
cdef tuple _tiers(RiskState state, object wallet, object asset)
cdef object _collateral_room(
    RiskState state, Account account, object wallet, object asset, object initial_e12
)
cdef object _isolated_room(RiskState state, Account account, object wallet, object asset)
cpdef object max_transfer_out(RiskState state, Account account, object wallet, object asset)
