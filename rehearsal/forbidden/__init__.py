"""What no role may do: calls with each function's own credentials, all of which must be refused.

A rehearsal's scenarios show that no role has too few rights. This shows that none has too many: see `trial`.
"""
