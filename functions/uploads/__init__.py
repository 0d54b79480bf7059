"""Uploads: files put into a bucket become rows, whatever their name, format and size."""
