"""The two pages of an unsubscribe link: question and confirmation.

They have no script, load no resource and name no person.
"""

from functions.shared.http import Answer

QUESTION_PAGE = """<p>Stop marketing emails from AstraLog? Emails about your account are still sent.</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>Unsubscribe</button></form>"""

CONFIRMATION_PAGE = (
    """<p>You are unsubscribed from marketing emails. Emails about your account are still sent.</p>"""
)

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    # The URL of the page contains the token.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def html_response(content: str) -> Answer:
    """A 200 response with an HTML page."""
    return {"statusCode": 200, "headers": dict(_HEADERS), "body": _whole(content)}


def _whole(content: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
        f"<title>AstraLog: unsubscribe</title>\n{content}\n</html>\n"
    )
