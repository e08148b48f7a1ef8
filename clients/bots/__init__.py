"""Sample bots: pure strategies, and the runner that connects them."""
