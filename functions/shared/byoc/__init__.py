"""BYOC destinations: their addresses, their encrypted credentials, and their health."""
