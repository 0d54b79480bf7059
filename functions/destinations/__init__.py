"""BYOC destinations: validate, test, store, monitor and remove them."""
