"""A person's rows or a whole account, removed for good: planned, done step by step, verified, receipted."""
