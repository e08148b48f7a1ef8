# The shape of `engine.py` as C knows it.
cimport cython
from matching.book cimport Book
from risk.account cimport Account
from risk.ledger cimport Pocket
from risk.money cimport kept
from risk.scan cimport check_overlooked, find_fallen, liquidate_fallen, run_rounds
from risk.state cimport RiskState
from risk.tiers cimport begin_day, is_day_due, tell_tiers
from risk.volumes cimport day_of

cdef class RiskEngine(RiskState):
    cpdef object found(self)
    cpdef object _endow(self, Pocket fund, object minor)
    @cython.locals(account=Account)
    cpdef Account open_account(self, object kind, object label)
    cpdef object price(self, object books, object last_trade, object now_ms)
    cpdef object fall_due(self, object road, object now_ms)
    cpdef object reprice(self, object books, object last_trade, object now_ms)
    cpdef object work(self, object road, object budget)
    cpdef object _restore_liquidations(self, dict state)

@cython.locals(risk=RiskState)
cpdef RiskEngine new_risk_engine(object venue)
