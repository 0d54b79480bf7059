"""Requests of search: bodies and parameters, decoded and validated; times and their zones."""
