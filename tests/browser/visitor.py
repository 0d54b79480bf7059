"""A person in front of the dashboard: opens it, fills in its forms, reads the mail."""

import re
from dataclasses import dataclass

import httpx
from playwright.sync_api import Page

from tests.integration.stack import RunningStack

PASSWORD = "correct-Horse-7-battery"


@dataclass(frozen=True)
class Visitor:
    """One person with an address of their own, in one window."""

    page: Page
    stack: RunningStack
    email: str

    def open(self, path: str = "/") -> None:
        self.page.goto(self.stack.api + path)

    def sign_up(self) -> None:
        """From the first page to the confirmed, signed-in account."""
        self.open()
        self.page.get_by_role("link", name="Create an account").click()
        self.page.get_by_label("Name").fill("Jo Engineer")
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("I accept the terms").check()
        self.page.get_by_role("button", name="Create the account").click()
        self.page.get_by_role("heading", name="Confirm your address").wait_for()
        self.page.get_by_label("Code").fill(self.mailed_code())
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Confirm and sign in").click()
        self.page.get_by_role("heading", name="Get started").wait_for()

    def join(self) -> None:
        """Get an account and a session by the API, as `sign_up` does by the pages, and open the same page."""
        person = {"email": self.email, "password": PASSWORD}
        self._post("/v1/signup", {**person, "name": "Jo Engineer", "accept_terms": True})
        self._post("/v1/signup/confirm", {**person, "code": self.mailed_code()})
        self.sign_in()
        self.open("/start")
        self.page.get_by_role("heading", name="Get started").wait_for()

    def sign_in(self) -> None:
        """By the API: the window has a session, and shows the page it showed before."""
        self._post("/v1/login", {"email": self.email, "password": PASSWORD, "cookie": True})

    def _post(self, path: str, body: dict[str, object]) -> None:
        """As a page of the dashboard would; the browser keeps the cookie of the response."""
        of_own_page = {"origin": self.stack.api, "sec-fetch-site": "same-origin"}
        response = self.page.context.request.post(self.stack.api + path, data=body, headers=of_own_page)
        assert response.ok, response.text()

    def fill_in_sign_in(self) -> None:
        """On the page that asks for it; the page that was wanted follows."""
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def go_to(self, place: str) -> None:
        """By the rail."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
        self.page.get_by_role("heading", name=place, level=1).wait_for()

    def create_first_key(self) -> str:
        self.page.get_by_role("button", name="Create the key").click()
        return self.page.get_by_label("The key", exact=True).inner_text().strip()

    def mailed_code(self) -> str:
        mails = httpx.get(self.stack.mail, params={"to": self.email}).json()
        return re.findall(r"\b\d{6}\b", mails[-1]["text"])[-1]

    def search(self, query: str) -> None:
        """On the search page, by its button."""
        self.page.get_by_label("Query").fill(query)
        self.page.get_by_role("button", name="Search", exact=True).click()

    def send_log(self, key: str, message: str) -> int:
        """The status of the answer to one log line, sent by a program with `key`."""
        return httpx.post(
            f"{self.stack.api}/v1/drain",
            json={"message": message, "service": "first-steps", "level": "warn"},
            headers={"authorization": f"Bearer {key}"},
            timeout=30,
        ).status_code
