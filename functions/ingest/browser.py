"""What a browser asks at `/`, where log clients ask what server this is."""

from functions.shared.http import Event


def is_opened_by_a_browser(event: Event) -> bool:
    """Whether a person opened the bare address; no log client asks for HTML."""
    if event["routeKey"] != "ANY /" or event["requestContext"]["http"]["method"] != "GET":
        return False
    return "text/html" in (event.get("headers") or {}).get("accept", "")
