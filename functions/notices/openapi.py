"""Documentation of the unsubscribe link's routes; see functions.shared.openapi.

The zip of this folder has no msgspec: the types are schemas.
"""

from functions.shared.openapi import Body, Operation, Operations, Parameter, Reply

_TOKEN = Parameter(
    "token",
    "The token of the link in a mail.",
    place="path",
    required=True,
    example="q5dXcVw2n8kJx0bT3mZrLs7yHuAyawz0v",
)
_HTML = "text/html; charset=utf-8"
_PAGE = {"type": "string"}
_STATUS = {
    "type": "object",
    "properties": {"status": {"const": "unsubscribed"}},
    "required": ["status"],
    "additionalProperties": False,
}

OPERATIONS: Operations = {
    "GET /v1/unsubscribe/{token}": Operation(
        "askUnsubscribe",
        "Show a page that asks whether to unsubscribe",
        "none",
        {200: Reply("A page with one button. Nothing changes.", _PAGE, media=_HTML)},
        parameters=(_TOKEN,),
        errors=("not_found",),
        page="notices.md#unsubscribing",
    ),
    "POST /v1/unsubscribe/{token}": Operation(
        "unsubscribe",
        "Unsubscribe from marketing mail",
        "none",
        {
            200: Reply(
                "Unsubscribed, also when repeated; a page for a browser.",
                _STATUS,
                {"status": "unsubscribed"},
                or_media={_HTML: _PAGE},
            )
        },
        description="Mail programs call this by one click (RFC 8058).",
        parameters=(_TOKEN,),
        body=Body(
            {"application/x-www-form-urlencoded": {"type": "object"}},
            {"application/x-www-form-urlencoded": {"List-Unsubscribe": "One-Click"}},
            required=False,
        ),
        errors=("not_found", "invalid_body"),
        page="notices.md#unsubscribing",
    ),
}
