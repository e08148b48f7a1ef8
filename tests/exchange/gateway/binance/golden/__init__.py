"""What the Binance door answers to fixed scripts, kept word for word.

A `.script` beside this module is the fixed walk through one subject, and the `.jsonl` of the same
name is what was answered: a line for each request and for each message of a socket, in the order
of their keys. `python -m tests.exchange.gateway.binance.golden` records them anew.
"""
