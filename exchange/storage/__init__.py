"""What is kept on disk: the journal, the snapshots and the history."""
