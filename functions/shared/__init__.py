"""Code that two or more functions use; copied into every zip. Nothing here imports a function."""
