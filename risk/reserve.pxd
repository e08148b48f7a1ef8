# The shape of `reserve.py` as C knows it.
from matching.book cimport Book
from matching.types cimport Order
from risk.account cimport Account
from risk.reserve_spot cimport reserve_spot
from risk.state cimport RiskState

cpdef object reserve(RiskState state, Account account, Order order, Book book, object worst_ticks)
