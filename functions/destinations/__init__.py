"""Customers' own clouds: told of, tested step by step, kept, watched and forgotten."""
