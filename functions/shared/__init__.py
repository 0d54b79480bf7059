"""What two functions use; copied into every zip. Nothing here imports a function."""
