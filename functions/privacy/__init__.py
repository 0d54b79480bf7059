"""What people may ask of what we hold of them: a copy of it, and that it goes."""
