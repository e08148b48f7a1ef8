"""The doors: bytes become commands, and events become bytes."""
