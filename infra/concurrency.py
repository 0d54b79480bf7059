"""Reserved concurrency: the topology's shares, scaled to the size of the AWS account.

A reservation is a floor and a ceiling: other functions cannot use these executions, and the function uses
no others. Lambda rejects a reservation that leaves fewer than `topology.UNRESERVED` to the rest, and the
whole deployment fails. A new account may have only 10. So nothing is reserved until the operator sets the
account's size.
"""

from dataclasses import replace

from infra import topology
from infra.topology import FUNCTIONS, Function

LEAST_POLLED = 2
"""The smallest maximum concurrency that an SQS event source accepts."""

LEAST = sum((LEAST_POLLED if each.source else 1) for each in FUNCTIONS if each.reserved_concurrency)
"""The minimum sum of all reservations."""

LEAST_ACCOUNT = topology.UNRESERVED + LEAST
"""The smallest account that can have reservations."""


def reserving(function: Function, account: int | None) -> Function:
    """`function` with its reservation in an account of `account` concurrent executions; None: no reservation.

    The SQS event source has the reservation as its maximum concurrency: messages that a throttled function
    does not receive count as failed deliveries.

    Raises
    ------
    ValueError: the account has less than LEAST_ACCOUNT.
    """
    share = function.reserved_concurrency
    if account is None or share is None:
        return replace(function, reserved_concurrency=None)
    if account < LEAST_ACCOUNT:
        raise ValueError(f"reservations need at least {LEAST_ACCOUNT} concurrent executions")
    room = account - topology.UNRESERVED - LEAST
    base = LEAST_POLLED if function.source else 1
    reserved = base + (share - base) * room // (topology.RESERVABLE - LEAST)
    source = function.source and replace(
        function.source, max_concurrency=min(function.source.max_concurrency or reserved, reserved)
    )
    return replace(function, reserved_concurrency=reserved, source=source)
