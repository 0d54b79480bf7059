"""A file's text, piece by piece, from any place that was marked before, in bounded memory."""
