# The shape of `borrowing.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account, Loan
from risk.ledger cimport Pocket
from risk.loan_tiers cimport levels
from risk.loans cimport hour_of_interest_e18, split_repayment
from risk.margin_worth cimport margin_worth, max_transfer_out
from risk.multi_asset cimport accepts
from risk.pool cimport inventory_minor
from risk.state cimport RiskState

cpdef object wallet_holds(RiskState state, Account account, object wallet, object asset)
cpdef object borrow(RiskState state, Account account, object wallet, object asset, object minor)
@cython.locals(loan=Loan)
cdef Loan _take(RiskState state, Account account, object wallet, object asset, object minor)
@cython.locals(loan=Loan, pocket=Pocket)
cpdef object repay(RiskState state, Account account, object wallet, object asset, object minor)
cpdef object repay_unused(
    RiskState state, Account account, Order order, object asset, object unused_minor
)
@cython.locals(loan=Loan)
cpdef object write_off(RiskState state, Account account, object wallet, object asset)
cdef object _tell(
    RiskState state, Account account, Loan loan, object borrowed=*, object principal=*,
    object interest=*
)
cpdef object transfer(
    RiskState state, Account account, object source, object target, object asset, object minor
)
