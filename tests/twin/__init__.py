"""The plain twin of an exchange, all order types, and the tests that hold the engine to it."""
