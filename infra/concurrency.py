"""What functions reserve of an account's concurrent executions: the topology's shares, scaled to its size.

A reservation is a floor and a ceiling: other functions cannot use these executions up, and this one uses no
others. Lambda rejects a reservation that leaves fewer than topology.UNRESERVED to the rest, and with it the
whole deploy; a new account may have 10 in all. So nothing is reserved until the operator says how many the
account has.
"""

from dataclasses import replace

from infra import topology
from infra.topology import FUNCTIONS, Function

LEAST_POLLED = 2
"""The smallest maximum concurrency that an SQS event source takes."""

LEAST = sum((LEAST_POLLED if each.source else 1) for each in FUNCTIONS if each.reserved_concurrency)
"""What all reservations together take at the least."""

LEAST_ACCOUNT = topology.UNRESERVED + LEAST
"""The smallest account that reservations are possible in."""


def reserving(function: Function, account: int | None) -> Function:
    """`function` with its reservation in an account of so many concurrent executions; None: nothing reserved.

    What polls a queue for it is limited to the reservation too: messages that a throttled function does not
    get count as failed deliveries.

    Raises
    ------
    ValueError: the account has less than LEAST_ACCOUNT.
    """
    share = function.reserved_concurrency
    if account is None or share is None:
        return replace(function, reserved_concurrency=None)
    if account < LEAST_ACCOUNT:
        raise ValueError(f"reservations take {LEAST_ACCOUNT} concurrent executions at the least")
    room = account - topology.UNRESERVED - LEAST
    base = LEAST_POLLED if function.source else 1
    reserved = base + (share - base) * room // (topology.RESERVABLE - LEAST)
    source = function.source and replace(
        function.source, max_concurrency=min(function.source.max_concurrency, reserved)
    )
    return replace(function, reserved_concurrency=reserved, source=source)
