"""Journeys on the pages of the account: a file by drop, an erasure and its receipt, a plan, a destination."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from functions.privacy.erasure.receipt import ErasureReceipt, account_hash, person_hash
from functions.privacy.erasure.subject import Subject
from functions.shared.tenancy import TenantId
from tests.browser.accessibility import scrolls_sideways
from tests.browser.chromium import Browser
from tests.browser.hands import GOOD, fill_card, press
from tests.browser.seeded import PERSON, RAGGED, ROWS_OF_PERSON, account_of, seed, send_events
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack, wait_until

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
STORED_MS = 60_000
VERIFIED_SECONDS = 900
RECOVERED_SECONDS = 60
TESTED_MS = 40_000

on_both = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

_numbers = count(1)

_DROP = """([name, text]) => {
    const files = new DataTransfer();
    files.items.add(new File([text], name));
    document.querySelector("main").dispatchEvent(
        new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
}"""


Joins = Callable[[ViewportSize], Visitor]


@pytest.fixture
def joins(browser: Browser, stack: RunningStack) -> Joins:
    """A new person with an account, in a window of that size."""

    def joined(size: ViewportSize) -> Visitor:
        browser.context.clear_cookies()
        browser.page.set_viewport_size(size)
        visitor = Visitor(browser.page, stack, f"owner{next(_numbers)}@example.org")
        visitor.join()
        return visitor

    return joined


def _row(page: Page, text: str) -> str:
    return page.get_by_role("row").filter(has_text=text).inner_text()


@on_both
def test_a_dropped_file_is_searchable_and_its_rejected_records_are_named(
    joins: Joins, size: ViewportSize
) -> None:
    visitor = joins(size)
    page = visitor.page
    visitor.go_to("Uploads")
    page.get_by_text("No files yet").wait_for()
    page.evaluate(_DROP, ["legacy.csv", RAGGED.decode()])
    page.get_by_text("partly stored").wait_for(timeout=STORED_MS)
    assert "500" in _row(page, "legacy.csv")
    page.get_by_text("1 record rejected").click()
    expect(page.get_by_text("where the header names 3")).to_be_visible()
    assert not scrolls_sideways(page)
    visitor.open("/search?q=%22request%20499%20answered%22&from=-30d")
    page.get_by_role("option").filter(has_text="request 499 answered").wait_for()


def test_a_file_dropped_before_the_account_is_known_is_sent_once_it_is(joins: Joins) -> None:
    visitor = joins(DESKTOP)
    held: list[Route] = []
    visitor.page.route("**/v1/account", lambda route: held.append(route))
    visitor.go_to("Uploads")
    visitor.page.get_by_text("No files yet").wait_for()
    visitor.page.evaluate(_DROP, ["early.log", "2026-11-29T10:00:00Z INFO early\n"])
    for request in held:
        request.continue_()
    visitor.page.get_by_role("row").filter(has_text="early.log").wait_for(timeout=STORED_MS)


def test_a_file_of_another_account_is_not_listed(joins: Joins) -> None:
    visitor = joins(DESKTOP)
    visitor.go_to("Uploads")
    visitor.page.locator("input[type=file]").set_input_files(
        {"name": "mine.log", "mimeType": "text/plain", "buffer": b"2026-11-29T10:00:00Z INFO mine\n"}
    )
    visitor.page.get_by_role("row").filter(has_text="mine.log").wait_for(timeout=STORED_MS)
    other = joins(DESKTOP)
    other.go_to("Uploads")
    other.page.get_by_text("No files yet").wait_for()


def _erase(page: Page, button: str) -> None:
    """Count the rows of PERSON, press the button, and confirm by the typed value."""
    _count_rows(page)
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog", name="Erase this person")
    value = dialog.get_by_label("The value that identifies the person")
    value.fill("bob")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog.get_by_role("alert")).to_contain_text("exactly as it is shown")
    value.fill(PERSON)
    dialog.get_by_role("button", name="Erase for good").click()
    page.get_by_text(f"The erasure of {PERSON} is requested").wait_for()


def _count_rows(page: Page) -> None:
    form = page.get_by_role("form", name="Erase a person from the logs")
    form.get_by_label("Field of the metadata").fill("email")
    form.get_by_label("Value", exact=True).fill(PERSON)
    form.get_by_role("button", name="Count the rows").click()


def _verify(page: Page, person: str) -> Locator:
    """The proofs of the first receipt."""
    verify = page.get_by_role("form", name=re.compile("Verify receipt")).first
    verify.get_by_label("Field").fill("metadata.email")
    verify.get_by_label("Value").fill(person)
    verify.get_by_role("button", name="Verify").click()
    verify.get_by_text(f"It is about {person}.").wait_for()
    return verify.get_by_role("status")


@on_both
def test_a_person_is_erased_after_a_count_and_by_the_typed_value(joins: Joins, size: ViewportSize) -> None:
    bystander = joins(DESKTOP)
    send_events(bystander)
    visitor = joins(size)
    send_events(visitor)
    page = visitor.page
    visitor.go_to("Privacy")
    _erase(page, f"Erase {ROWS_OF_PERSON} rows")
    expect(page.get_by_role("listitem").filter(has_text="A person")).to_contain_text(PERSON)
    assert not scrolls_sideways(page)


@on_both
def test_a_receipt_is_verified_in_the_browser(joins: Joins, size: ViewportSize) -> None:
    """The erasure is the test's, with a receipt by the service's own code: a real one takes minutes."""
    visitor = joins(size)
    page, erasure = visitor.page, "era_51d09c"
    tenant = TenantId(account_of(visitor)["tenant_id"])
    receipt = ErasureReceipt(
        number=17,
        previous="1" * 64,
        kind="person",
        account=account_hash(erasure, tenant),
        person=person_hash(erasure, Subject(tenant, "metadata.email", PERSON)),
        requested_at="2026-11-23T10:00:00Z",
        verified_at="2026-11-23T12:00:00Z",
        backups_until="2026-12-28T12:00:00Z",
        counts={"rows": ROWS_OF_PERSON},
    )
    whole = _verified(erasure, receipt)
    listed = {"erasures": [{**whole, "receipt": None}]}
    page.route("**/v1/erasures", lambda route: route.fulfill(json=listed))
    page.route(f"**/v1/erasures/{erasure}", lambda route: route.fulfill(json=whole))
    visitor.go_to("Privacy")
    page.locator("summary").filter(has_text="Receipt").click()
    expect(_verify(page, PERSON).get_by_text("proved", exact=True)).to_have_count(3)
    assert not scrolls_sideways(page)
    expect(_verify(page, "eve@example.com").get_by_text("not proved", exact=True)).to_have_count(1)


def _verified(erasure: str, receipt: ErasureReceipt) -> dict[str, object]:
    absent = dict.fromkeys(("field", "value", "cancellable_until", "cancelled_at"))
    return {
        **absent,
        "id": erasure,
        "kind": "person",
        "state": "verified",
        "requested_at": receipt.requested_at,
        "starts_at": receipt.requested_at,
        "due_by": "2026-12-23T10:00:00Z",
        "verified_at": receipt.verified_at,
        "waits_for": [],
        "receipt": {**asdict(receipt), "hash": receipt.hash},
    }


@pytest.mark.soak
def test_an_erasure_ends_with_a_receipt_that_proves_it(joins: Joins) -> None:
    """Minutes long: a round begins two minutes after the last removal, and ClickHouse cleans up later."""
    visitor = joins(DESKTOP)
    send_events(visitor)
    page = visitor.page
    visitor.go_to("Privacy")
    _erase(page, f"Erase {ROWS_OF_PERSON} rows")
    receipt = page.locator("summary").filter(has_text="Receipt")
    state = str(visitor.stack.logs.parent)

    def is_verified() -> bool:
        page.wait_for_timeout(15_000)
        subprocess.run([sys.executable, "-m", "local", "--state", state, "invoke", "eraser"], check=True)
        return receipt.count() == 1

    wait_until(is_verified, VERIFIED_SECONDS, "the receipt is on the page")
    receipt.click()
    expect(_verify(page, PERSON).get_by_text("not proved")).to_have_count(0)
    _count_rows(page)
    page.get_by_role("button", name="Erase anyway").wait_for()


def test_a_page_whose_data_cannot_be_read_says_why_and_tries_again(joins: Joins) -> None:
    page = joins(DESKTOP).page
    fault = {"error": "Temporarily unavailable.", "code": "try_again", "request_id": "r-1"}
    faults = page.get_by_text("Temporarily unavailable")
    for path in ("/billing", "/privacy", "/uploads", "/settings/audit", "/notices"):
        page.route("**/v1/*", lambda route: route.fulfill(status=503, json=fault))
        page.evaluate("path => { history.pushState(null, '', path); }", path)
        page.get_by_role("alert").first.get_by_text("Temporarily unavailable").wait_for()
        page.unroute("**/v1/*")
        page.get_by_role("button", name="Try again").first.click()
        wait_until(lambda: _tries_again(page) and faults.count() == 0, RECOVERED_SECONDS, f"{path} is read")


def _tries_again(page: Page) -> bool:
    """Press every button for it that is there now: parts with the same data recover together."""
    retry = page.get_by_role("button", name="Try again")
    retry.evaluate_all("buttons => buttons.forEach((button) => button.click())")
    page.wait_for_timeout(500)
    return True


def test_a_page_stays_when_the_connection_is_lost(joins: Joins) -> None:
    visitor = joins(PHONE)
    visitor.go_to("Usage")
    visitor.page.get_by_text("Stored so far").wait_for()
    visitor.page.context.set_offline(True)
    visitor.page.get_by_text("You are offline").wait_for()
    assert visitor.page.get_by_text("Stored so far").is_visible()
    visitor.page.context.set_offline(False)
    visitor.page.get_by_text("You are offline").wait_for(state="hidden")


@on_both
def test_a_plan_is_bought_at_stripe_and_the_page_says_so(joins: Joins, size: ViewportSize) -> None:
    visitor = joins(size)
    page = visitor.page
    visitor.go_to("Usage")
    page.get_by_text("The free trial lasts until").wait_for()
    page.get_by_role("button", name="Buy this plan: Managed, 30 days").click()
    page.wait_for_url(f"{visitor.stack.stripe}/**")
    fill_card(page, GOOD)
    press(page, "Subscribe")
    page.get_by_text("Your plan is now Managed, 30 days").wait_for(timeout=STORED_MS)
    expect(page.get_by_role("listitem").filter(has_text="Your plan")).to_contain_text("Managed, 30 days")
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Dismiss").click()
    page.wait_for_url(f"{visitor.stack.api}/billing")
    page.get_by_role("button", name="Open the billing portal").click()
    page.wait_for_url(f"{visitor.stack.stripe}/**")


def test_a_checkout_that_was_left_says_that_nothing_was_charged(joins: Joins) -> None:
    visitor = joins(DESKTOP)
    visitor.open("/billing?checkout=left")
    visitor.page.get_by_text("Nothing was bought, and nothing is charged").wait_for()


def test_a_cap_is_drawn_in_the_chart_as_soon_as_it_is_saved(joins: Joins) -> None:
    visitor = joins(DESKTOP)
    seed(visitor)
    visitor.go_to("Usage")
    page = visitor.page
    page.get_by_label("Hard cap (GB)").fill("nonsense")
    page.get_by_role("button", name="Save the caps").click()
    expect(page.get_by_label("Hard cap (GB)")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Hard cap (GB)").fill("50")
    page.get_by_role("button", name="Save the caps").click()
    page.get_by_text("Hard cap: 50 GB, above this chart").wait_for()


@on_both
def test_a_destination_is_tested_step_by_step_with_a_fix_beside_each_failure(
    joins: Joins, size: ViewportSize
) -> None:
    visitor = joins(size)
    page = visitor.page
    _fill_destination(visitor, bucket="no-such-bucket-here")
    page.get_by_role("button", name="Test only").click()
    page.get_by_text("Nothing is stored; what to do is beside each").wait_for(timeout=TESTED_MS)
    failed = page.get_by_role("listitem").filter(has_text="Sign in to the bucket")
    expect(failed).to_contain_text("failed")
    expect(failed.locator(".fix")).to_be_visible()
    assert not scrolls_sideways(page)
    page.get_by_label("Name", exact=True).fill(visitor.stack.byoc_bucket)
    page.get_by_role("button", name="Test and save").click()
    page.get_by_role("heading", name="Now").wait_for(timeout=TESTED_MS)
    secrets = [visitor.stack.byoc_destination[part][name] for part, name in _SECRETS]
    assert not [each for each in secrets if each in page.content()], "a secret is never shown again"
    page.get_by_role("button", name="Test it now").click()
    page.get_by_text("Every step passed").wait_for(timeout=TESTED_MS)
    assert page.locator(".steps-list > li").count() == _STEPS_WITH_A_KEY


_SECRETS = (("bucket", "secret_access_key"), ("clickhouse", "password"))
_STEPS_WITH_A_KEY = 14


def _fill_destination(visitor: Visitor, bucket: str) -> None:
    destination, page = visitor.stack.byoc_destination, visitor.page
    clickhouse = destination["clickhouse"]
    visitor.open("/settings/destination")
    page.get_by_label("By an access key").check()
    page.get_by_label("Name", exact=True).fill(bucket)
    page.get_by_label("Region").fill(destination["bucket"]["region"])
    page.get_by_label("Access key id").fill(destination["bucket"]["access_key_id"])
    page.get_by_label("Secret access key").fill(destination["bucket"]["secret_access_key"])
    page.get_by_label("Address").fill(f"http://{clickhouse['host']}:{clickhouse['port']}")
    page.get_by_label("Database").fill(clickhouse["database"])
    page.get_by_label("User").fill(clickhouse["user"])
    page.get_by_label("Password").fill(clickhouse["password"])


def test_an_account_is_deleted_by_its_typed_name_and_kept_by_cancelling(joins: Joins) -> None:
    visitor = joins(DESKTOP)
    page = visitor.page
    visitor.go_to("Privacy")
    page.get_by_role("button", name="Delete the account").click()
    dialog = page.get_by_role("dialog", name="Delete the account")
    dialog.get_by_label("The account's address").fill(visitor.email)
    dialog.get_by_role("button", name="Delete the account").click()
    page.get_by_text("The account will be erased on").wait_for()
    page.get_by_role("button", name="Cancel the deletion").click()
    page.get_by_text("The account will be erased on").wait_for(state="detached")
    visitor.open("/settings/audit")
    page.get_by_role("row").filter(has_text="erasure").first.wait_for()
