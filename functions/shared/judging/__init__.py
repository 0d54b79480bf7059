"""What a record has to be so that it becomes a row: one reference, and a shortcut that agrees with it."""
