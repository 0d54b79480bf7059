"""What a person does on Stripe's pages: read labels, fill them in, press buttons."""

from playwright.sync_api import Page

GOOD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
MASTERCARD = "5555 5555 5555 4444"
NAME = "Zoë Ångström"


def fill_card(page: Page, number: str) -> None:
    """Fill in the form for a card; the checkout's has a name as well."""
    if page.get_by_label("Name on card").count():
        page.get_by_label("Name on card").fill(NAME)
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("12 / 40")
    page.get_by_label("Security code").fill("123")


def press(page: Page, button: str) -> None:
    """Press it; the page that follows has been loaded on return."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=button, exact=True).click()


def alert(page: Page) -> str:
    """What the page says went wrong."""
    return page.get_by_role("alert").inner_text()


def sections(page: Page) -> dict[str, str]:
    """Heading -> text of each part of the portal."""
    parts = page.locator("section")
    texts = [parts.nth(place).inner_text() for place in range(parts.count())]
    return {text.split("\n")[0]: text for text in texts}
