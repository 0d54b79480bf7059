"""Log events: the rules that make a record a row, rows, staged objects and their keys."""
