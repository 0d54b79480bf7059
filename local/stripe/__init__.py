"""A small stateful Stripe for one machine, spoken to by the official `stripe` package, unmodified.

Everything rests in memory, and in one file when told so. Time is a clock that can be moved.
What it refuses to know (an unknown parameter, another API version, a mixed billing interval) it says so, with
Stripe's own error object; it never takes a parameter in silence. docs/local-stripe.md lists what it imitates.
"""

API_VERSION = "2026-10-28.endive"
"""The one version spoken: that of the pinned `stripe` package."""
