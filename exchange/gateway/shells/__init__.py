"""Thin shells that carry bytes between sockets and sans-I/O sessions."""
