"""Capacity: from measured figures to what a venue, many venues and a public one would take."""
