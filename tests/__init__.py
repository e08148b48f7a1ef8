"""The tests, one module for each module of the program, and the whole exchange besides."""
