"""The protocols in which logs arrive, one module each; `contract` says what a protocol is.

Each route of the topology names the protocols that read it, and `table` finds the one of a request.
CONTRIBUTING.md has the recipe for a new one.
"""
