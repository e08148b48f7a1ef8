# The shape of `multi_asset.py` as C knows it.
cimport cython
from risk.account cimport Account
from risk.ledger cimport Pocket
from risk.loans cimport hour_of_interest_e18
from risk.money cimport ceil_div

cpdef bint is_fresh(object state, object asset)
cpdef bint is_multi(Account account, object wallet)
cpdef bint accepts(object state, Account account, object asset)
cpdef list collateral_sources(object state, Account account)
cpdef list collateral_bands(object state, object moved, object share_e28)
cpdef object max_leave(
    object state, Account account, object asset, object unrealised_e16, object taken_e16
)
cpdef object settle_wallet(object state, Account account, dict rates_e12, object due_ms)
cpdef bint must_convert(object state, Account account)
@cython.locals(pocket=Pocket)
cpdef object charge_hour(object state, Account account, dict rates_e12, object due_ms)
cpdef object pay_carried(object state, Account account)
cdef object _carry(Account account, object asset, object rest_e18)
cdef object _pay(object state, Account account, object asset, object minor)
