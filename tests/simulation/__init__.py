"""The whole exchange on one seed: agents, faults, kill and replay."""
