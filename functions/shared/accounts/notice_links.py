"""Links in notices: the texts name a page, and the notifier inserts this installation's addresses.

The functions that write notices do not know these addresses.
"""

_API = "{api}"
_DOCS = "{docs}"


def api_link(path: str) -> str:
    """A link to our API that opens in a browser, without a key; `path` begins with `/`."""
    return f"{_API}{path}"


def docs_link(page: str, section: str) -> str:
    """A link to a section of a page in `docs/`, such as `billing.md` and `choose-a-plan`."""
    return f"{_DOCS}/{page}#{section}"


def with_addresses(text: str, api_address: str, docs_address: str) -> str:
    """`text` with complete links; the addresses have no slash at their end."""
    return text.replace(_API, api_address).replace(_DOCS, docs_address)
