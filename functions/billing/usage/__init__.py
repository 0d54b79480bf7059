"""Usage: done batches counted by tenant and day, caps, and the follow-up."""
