"""A file's text, piece by piece, from any resume point, in bounded memory."""
