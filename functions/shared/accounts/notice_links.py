"""Links in notices: the texts name a page, and the notifier inserts this installation's addresses.

The functions that write notices do not know these addresses.
"""

_SITE = "{site}"
_DOCS = "{docs}"


def page_link(path: str) -> str:
    """A link to a page of the dashboard that needs no session; `path` begins with `/`."""
    return f"{_SITE}{path}"


def docs_link(page: str, section: str) -> str:
    """A link to a section of a page in `docs/`, such as `billing.md` and `choose-a-plan`."""
    return f"{_DOCS}/{page}#{section}"


def with_addresses(text: str, site_address: str, docs_address: str) -> str:
    """`text` with complete links; the addresses have no slash at their end.

    `site_address`: the origin of the API, which the dashboard shares.
    """
    return text.replace(_SITE, site_address).replace(_DOCS, docs_address)
