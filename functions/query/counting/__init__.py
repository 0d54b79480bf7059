"""Counts of values and fields, and the intervals of a histogram."""
