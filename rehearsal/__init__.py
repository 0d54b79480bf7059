"""The rehearsal: deploys the real templates to an emulator of AWS, and tries every promise against them.

`python -m rehearsal` is the command line. The emulator enforces signatures, IAM policies and resource
policies. docs/rehearsal.md states what a rehearsal proves and what it cannot.
"""
