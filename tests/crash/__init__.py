"""The crash matrix: sync is killed at every step, its messages return in every way, and rows are counted.

`python -m tests.crash` runs it whole and prints it as a table; `make test` runs a shorter form.
"""
