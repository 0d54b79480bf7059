"""Egress filter: check, pin and open connections to addresses that customers give."""
