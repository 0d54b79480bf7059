"""Exports of search results: requests, pages, file formats, and the runs that write a file."""
