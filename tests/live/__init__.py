"""Real sockets, real clients, real Redis, real processes."""
