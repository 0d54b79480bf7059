"""Export files in buckets: uploads that survive the end of a run, and the exports of search results."""
