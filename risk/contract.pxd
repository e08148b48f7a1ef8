# The shape of `contract.py` as C knows it.
from risk.money cimport ceil_div, half_even_div

cdef class Contract:
    cdef public object brackets
    cdef public object cross_wallet
    cdef public object instrument
    cdef public object inverse
    cdef public object lot_minor
    cdef public object price_max_e8
    cdef public object settle
    cdef public object symbol
    cdef public object tick_e8

    cpdef object factor(self, object mark_e8)
    cpdef object floor_minor(self, object value_e16, object mark_e8)
    cpdef object ceil_minor(self, object value_e16, object mark_e8)
    cpdef object notional_e16(self, object lots, object mark_e8)
    cpdef object unrealised_e16(self, object lots, object cost_minor, object mark_e8)
    cpdef object amount_minor(self, object lots, object price_ticks)
    cpdef object order_minor(self, object lots, object price_ticks)
    cpdef object cost_minor(self, object fill_lots, object amount_minor)
    cpdef object entry_e8(self, object lots, object cost_minor)
    cpdef object bracket_of(self, object notional_e16, object mark_e8)
    cpdef object bracket(self, object lots, object mark_e8)
    cpdef object maintenance_e28(self, object lots, object mark_e8)
    cpdef object step_down_lots(self, object lots, object mark_e8)
    cpdef object cap_minor(self, object leverage)
    cpdef bint leverage_allows(self, object leverage, object notional_e16, object mark_e8)
    cpdef object flow_minor(self, object lots, object mark_e8, object rate_e12)
