# The shape of `settle_contract.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account, OpenOrders, position_wallet
from risk.contract cimport Contract
from risk.fees cimport fee_minor, fee_rate_e12
from risk.ledger cimport Pocket
from risk.money cimport ceil_div
from risk.position cimport Position, fill_effect, released_cost, symbol_of
from risk.state cimport RiskState

@cython.locals(account=Account, contract=Contract, held=Position)
cpdef object settle_contract_fill(RiskState state, Order order, object fill, object trade_id)
@cython.locals(account=Account, contract=Contract, pocket=Pocket)
cpdef tuple move_position(RiskState state, object move, object fee_rate_e12)
cdef object _charge_fee(
    RiskState state, object move, Pocket pocket, object closing_minor, object opening_minor
)
@cython.locals(contract=Contract)
cdef object _move_isolated_margin(RiskState state, object move, object effect, tuple before)
@cython.locals(contract=Contract)
cpdef object release_margin(RiskState state, Account account, object leg)
@cython.locals(sums=OpenOrders)
cpdef object count_resting(RiskState state, Account account, Order order)
cpdef object count_order(Contract contract, OpenOrders sums, Order order)
@cython.locals(contract=Contract, sums=OpenOrders)
cpdef object uncount(RiskState state, Account account, Order order, object lots)
