"""Connections to addresses that customers give: judged, pinned, and opened by nobody else."""
