"""The forms a file's text may have, told by content: where records end, and what becomes of one."""
