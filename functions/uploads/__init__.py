"""Uploads: a file put into a bucket becomes rows, whatever its name, its form and its size."""
