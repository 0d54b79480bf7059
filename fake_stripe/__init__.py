"""A small stateful Stripe for one machine, used through the official `stripe` package, unmodified.

All state is in memory, and in one file if configured. Tests can advance its clock.
It rejects what it does not imitate (an unknown parameter, another API version, a mixed billing interval) with
Stripe's own error object; it never ignores a parameter. docs/fake-stripe.md lists what it imitates.
"""

API_VERSION = "2026-10-28.endive"
"""The only supported API version: that of the pinned `stripe` package."""
