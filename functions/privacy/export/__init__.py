"""A copy of all that we hold of an account, as an archive that is written piece by piece."""
