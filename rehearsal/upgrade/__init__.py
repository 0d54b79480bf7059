"""An upgrade on the emulator: the previous version with data in it, then the current one under load.

`python -m rehearsal upgrade` runs it. docs/rehearsal.md states what it proves and what it cannot.
"""
