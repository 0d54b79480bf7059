"""Erasure of a person's rows or a whole account: planned, done step by step, verified, with a receipt."""
