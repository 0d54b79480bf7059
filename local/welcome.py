"""The text that a person sees when the stack is ready."""

from local.dashboard import is_built
from local.stack import ACCOUNTS, Stack


def welcome(stack: Stack) -> str:
    """One block: URL, keys, a command to send a log and one to find it, the folder of the logs."""
    account = ACCOUNTS[0]
    keys = stack.keys[account]
    sql = "'SELECT count() FROM events'"
    scopes = "\n".join(f"    {scope:<7} {key}" for scope, key in keys.items())
    return f"""
AstraLog is ready at {stack.api}{_page_line()}

  keys of the account {account} ({stack.places.page} has them all)
{scopes}

  send     curl -sS '{stack.api}/v1/drain?wait=true' -H 'Authorization: Bearer {keys["ingest"]}' \\
             -H 'Content-Type: application/json' -d '{{"events": [{{"message": "hello", "level": "info"}}]}}'
  search   curl -sS {stack.api}/v1/search -H 'Authorization: Bearer {keys["read"]}' \\
             -H 'Content-Type: application/json' -d '{{"q": "hello"}}'
  SQL      curl -sS {stack.clickhouse}/ -d {sql}
  logs     {stack.places.logs}/

Ctrl-C stops it.
"""


def _page_line() -> str:
    """Where the page is, or how to build it."""
    if is_built():
        return "\n  open it in a browser: sign up, and read the mailed code at the mail address of stack.json"
    return "\n  the page is not built: `make web` builds it (it needs Node.js 20.19 or later)"
