"""The money: who may, who owns, who owes."""
