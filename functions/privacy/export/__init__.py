"""Data export of an account: all personal data stored, as an archive that is written piece by piece."""
