# The shape of `perp_worth.py` as C knows it.
cimport cython
from risk.account cimport Account, OpenOrders, position_wallet
from risk.contract cimport Contract
from risk.margin cimport initial_e16, isolated_flip_minor, open_order_margin, withdrawable_e16
from risk.money cimport ceil_div
from risk.multi_asset cimport collateral_bands, is_multi, max_leave
from risk.position cimport Position, symbol_of
from risk.state cimport RiskState

@cython.locals(contract=Contract, position=Position, sums=OpenOrders)
cpdef object perp_worth(RiskState state, Account account, object wallet=*)
@cython.locals(contract=Contract, position=Position)
cpdef tuple cross_state(RiskState state, Account account, object wallet)
cpdef object wallet_e16(RiskState state, Account account, object wallet)
cpdef object leg_margin(RiskState state, Account account, object leg, OpenOrders sums)
@cython.locals(contract=Contract, held=Position)
cpdef list leg_margins(RiskState state, Account account, object leg, object all_sums)
cdef object _against(Contract contract, object side, OpenOrders sums)
cdef object _mark_e8(RiskState state, Contract contract)
@cython.locals(contract=Contract, held=Position)
cpdef tuple position_worth(RiskState state, Account account, object leg)
@cython.locals(contract=Contract)
cpdef object unrealised_e16(RiskState state, Position held)
@cython.locals(contract=Contract, held=Position)
cpdef list perp_bands(
    RiskState state, Account account, list legs, object slack_e28, object collateral=*
)
cdef object _bound_e8(Contract contract, object lots, object mark_e8, object slack_e28)
cpdef object max_perp_transfer_out(RiskState state, Account account, object wallet, object asset)
