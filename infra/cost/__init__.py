"""What an installation costs: `python -m infra.cost --gb-day 100 --events-per-request 100`.

Computed from the synthesized templates, the topology, the requests of idle runs (`idle_runs.toml`) and dated
list prices (`prices.toml`). No free tier is counted: an account has one, and other workloads use it too.
ClickHouse, mail and data transfer are not in the bill.
"""
