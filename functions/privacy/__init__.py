"""Rights of an account: data export and erasure."""
