"""The trading desk in the terminal."""
