# The shape of `telling.py` as C knows it.
cimport cython
from matching.types cimport Order
from risk.account cimport Account, Loan, Setting, position_wallet, side_of
from risk.ledger cimport Pocket
from risk.position cimport Position, symbol_of
from risk.state cimport RiskState

cdef class Teller:
    cdef public RiskState _risk
    cdef public list events
    cdef public object seq
    cdef public object time_ms

    cpdef object begin(self, object seq, object time_ms)
    cpdef object tell(self, object event)
    @cython.locals(account=Account)
    cpdef object number(self, object account_id)
    @cython.locals(account=Account)
    cpdef object order(self, Order order, object happening)
    cpdef object amended(self, object order_id, object before, object since)
    cpdef object filled(self, object fill, Order order, object booked, object trade_id)
    @cython.locals(account=Account, accounts=dict, risk=RiskState)
    cpdef object drain(self)
    cpdef object _record(self, object record)
    @cython.locals(pocket=Pocket, risk=RiskState)
    cpdef object balances(self)
    @cython.locals(account=Account, loan=Loan)
    cpdef object _balance(self, Pocket pocket)
    @cython.locals(account=Account, held=Position, setting=Setting)
    cpdef object _position(self, object account_id, object leg)
    cpdef list answer(
        self, object reason, object result_id=*, object details=*, bint repeated=*,
        object asker_id=*
    )
