"""`python -m local demo`: real log lines through the whole pipeline, counted at each step."""
