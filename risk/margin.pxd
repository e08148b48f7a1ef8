# The shape of `margin.py` as C knows it.
from risk.money cimport ceil_div, charged
from risk.position cimport released_cost

cpdef bint must_liquidate(object balance_e16, object maintenance_e28)
cpdef object initial_e16(object notional_e16, object leverage)
cpdef object open_order_margin(
    object signed_notional_e16, object buys_e16, object sells_e16, object leverage
)
cpdef object isolated_flip_minor(
    object lots, object cost_minor, object margin_minor, object against, object leverage
)
cpdef object withdrawable_e16(
    object wallet_e16, object balance_e16, object initial_e16, object orders_e16
)
cpdef object margin_after_raise_e16(
    object margin_e16, object unrealised_e16, object initial_e16, object maintenance_e28
)
