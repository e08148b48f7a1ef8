# The shape of `money.py` as C knows it.

cpdef object kept(object amount)
cpdef object ceil_div(object amount, object divisor)
cpdef object half_even_div(object amount, object divisor)
cpdef object charged(object amount_minor, object rate_e12)
cpdef object minor_half_even(object amount_e16)
cpdef object interest_minor_ceil(object interest_e18)
cpdef bint at_most(object numerator, object denominator, object level_e12)
cpdef bint at_least(object numerator, object denominator, object level_e12)
