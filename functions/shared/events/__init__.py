"""Rules that decide whether a record becomes a row: the reference, and a fast path that agrees with it."""
