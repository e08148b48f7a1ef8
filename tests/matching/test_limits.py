"""Tests of the core's bounds: that they keep the promises other code leans on."""

from matching import limits


def test_the_largest_product_of_price_and_quantity_is_a_c_integer() -> None:
    # 10^9 ticks x 4 * 10^9 lots = 4 * 10^18, and 2^62 = 4.61 * 10^18.
    assert limits.UNITS_MAX == 4 * 10**18
    assert limits.UNITS_MAX < limits.C_INTEGER_BOUND == 2**62


def test_one_order_can_step_past_all_resting_orders_of_its_own_account() -> None:
    assert limits.ORDERS_PER_ACCOUNT_SYMBOL_MAX < limits.FILLS_PER_COMMAND_MAX


def test_ids_survive_a_reader_that_keeps_numbers_as_doubles() -> None:
    assert int(float(limits.ID_MAX)) == limits.ID_MAX
    assert int(float(limits.ID_MAX + 2)) != limits.ID_MAX + 2


def test_every_bound_is_a_positive_integer() -> None:
    bounds = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(bounds) > 10
    assert all(isinstance(value, int) and value > 0 for value in bounds.values()), bounds
