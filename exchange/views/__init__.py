"""The read side: state folded from events, for those who look and do not trade."""
