"""The formats of a file's text, detected by content: where records end, and how a record becomes a row."""
