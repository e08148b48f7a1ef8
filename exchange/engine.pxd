# The shape of `engine.py` as C knows it.
from exchange.bracketing cimport refuse_order
from exchange.cancelling cimport cancel, cancel_all, cancel_list
from exchange.reducing cimport trim_moved
from exchange.telling cimport Teller
from exchange.trading cimport Trading
from matching.types cimport Order
from risk.account cimport Account, Loan
from risk.engine cimport RiskEngine, new_risk_engine
from risk.tiers cimport begin_day
from risk.volumes cimport day_of

cdef object _numbered(object result)
cdef object _answer(object placed)
