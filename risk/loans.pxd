# The shape of `loans.py` as C knows it.
from risk.money cimport ceil_div, half_even_div, interest_minor_ceil

cpdef object asset_e28(object total_minor, object price_e8)
cpdef object owed_e18(object principal_minor, object interest_e18)
cpdef object debt_e28(object debt_e18, object price_e8)
cpdef object collateral_e28(object value_e16, object tiers)
cpdef object value_needed_e16(object collateral_e28, object tiers)
cpdef object level_e12(object assets_e28, object debts_e28)
cpdef object max_borrow_minor(
    object collateral_e28, object debts_e28, object initial_e12, object own_value_e16, object tiers,
    object price_e8
)
cpdef object max_transfer_out_minor(
    object free_minor, object total_minor, object price_e8, object tiers, object collateral_sum_e28,
    object debts_e28, object keep_e12
)
cpdef object hour_of_interest_e18(
    object principal_minor, object interest_e18, object hourly_rate_e12, bint compound
)
cpdef object pool_rate_e12(object asset, object lent_minor, object pool_minor)
cpdef object split_repayment(object principal_minor, object interest_e18, object offered_minor)
cpdef object liquidation_price_e8(
    object base_minor, object base_owed_e18, object other_assets_e28, object other_debts_e28,
    object liquidation_e12
)
cpdef object partial_sale(object assets_e28, object debts_e28, object target_e12, object cost_e12)
