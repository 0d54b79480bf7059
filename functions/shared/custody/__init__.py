"""Customers' own clouds: where they are, the credentials that open them, sealed, and how they fare."""
