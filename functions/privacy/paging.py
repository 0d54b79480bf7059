"""All items that a query or a scan of DynamoDB finds, page by page."""

from collections.abc import Callable, Iterator
from typing import Any

from functions.shared.dynamo.answers import answered

Item = dict[str, Any]


def found(call: Callable[..., Any], **question: Any) -> Iterator[Item]:
    """The items, read page by page as the caller iterates. `call`: `query` or `scan` of a boto3 client.

    Raises
    ------
    StoreUnavailableError
    """
    start: Item = {}
    while True:
        with answered():
            page = call(**question, **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
