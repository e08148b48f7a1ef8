# The shapes of `types.py` as C knows them: what is an integer of C is an id, a price in ticks, a
# quantity in lots, or ticks x lots of one order (UNITS_MAX < 2^62). Money, times and rates stay
# Python's integers. `order_id` is one too, for it is read as a key of dictionaries.

cimport cython

cdef object _NEW

cdef class Entry:
    cdef public object order_id
    cdef public long long account_id
    cdef public object side
    cdef public long long price_ticks
    cdef public long long lots
    cdef public long long quote_units
    cdef public long long open_lots
    cdef public long long filled_lots
    cdef public long long filled_units
    cdef public long long prevented_lots
    cdef public object tif
    cdef public object post_only
    cdef public object stp
    cdef public object expire_ms
    cdef public object status
    cdef public object reason
    cdef public long long iceberg_lots
    cdef public long long hidden_lots
    cdef public long long rank
    cdef public Entry prev
    cdef public Entry next
    cdef public Level level

    cpdef object begin(
        self, object order_id, long long account_id, object side, long long price_ticks,
        long long lots, object tif, object stp
    )

cdef class Order(Entry):
    cdef public object symbol
    cdef public object type
    cdef public object reduce_only
    cdef public object client_id
    cdef public object time_ms
    cdef public object wallet
    cdef public object hold_minor
    cdef public object side_effect
    cdef public object leverage
    cdef public object forced
    cdef public object leg
    cdef public object filled_minor
    cdef public long long trigger_ticks
    cdef public object trigger
    cdef public object close_position
    cdef public object price_protect
    cdef public object triggered_ms
    cdef public object auto_repay_at_cancel
    cdef public object trailing_bps
    cdef public object hold_ticks
    cdef public object list_id
    cdef public object covered_minor
    cdef public object amends
    cdef public long long counted_lots

cdef class Level:
    cdef public long long key
    cdef public long long price_ticks
    cdef public long long lots
    cdef public long long hidden_lots
    cdef public bint touched
    cdef public Entry first
    cdef public Entry last

    cpdef object hide(self, Entry order)
    @cython.locals(before=Entry, after=Entry, last=Entry)
    cpdef object show_next(self, Entry order, long long rank)
