"""`make bench-web`: how fast the search page is. docs/performance.md has the figures with their method.

First search: from the start of the navigation to the frame with the first lines, signed in, files cached,
Chromium's CPU slowed four times. Scrolling: LINES lines, loaded page by page, then through all of them, a
window further in each frame. Tasks are those of Chromium's trace, in CPU time of their thread: on a machine
that does other work their wall-clock time says more about that.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, Route

from tests.browser.chromium import chromium, window
from tests.browser.visitor import Visitor
from tests.integration.stack import running_stack

EVENTS = 2_000
LINES = 100_000
PAGE = 1_000
THROTTLE = 4
ROUNDS = 7
LONG_MS = 50

_PAINTED = """() => {
    const look = () => {
        if (!document.querySelector("[id^=line-]")) return requestAnimationFrame(look);
        requestAnimationFrame(() => { window.paintedAt = performance.now(); });
    };
    requestAnimationFrame(look);
}"""

_SCROLL = """async () => {
    const rows = document.querySelector(".rows");
    const began = performance.now();
    let frames = 0;
    rows.scrollTo(0, 0);
    while (rows.scrollTop + rows.clientHeight < rows.scrollHeight - 1) {
        rows.scrollBy(0, rows.clientHeight);
        frames += 1;
        await new Promise(requestAnimationFrame);
    }
    return { frames, seconds: (performance.now() - began) / 1000 };
}"""


def first_search(visitor: Visitor) -> list[float]:
    """Milliseconds of each round, and the first one, which fills the browser's cache, not."""
    page = visitor.page
    page.add_init_script(f"({_PAINTED})()")
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    found = []
    for _ in range(ROUNDS + 1):
        visitor.open("/search")
        page.wait_for_function("() => window.paintedAt !== undefined")
        found.append(float(page.evaluate("window.paintedAt")))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return found[1:]


def scrolling(visitor: Visitor) -> dict[str, Any]:
    """Frames and seconds of the way through all lines, and the CPU milliseconds of the page's tasks."""
    page = visitor.page
    page.route("**/v1/search", _many_lines)
    visitor.open("/search")
    page.locator("[id^=line-]").first.wait_for()
    _load_all(page)
    session = page.context.new_cdp_session(page)
    traced: list[dict[str, Any]] = []
    ended: list[object] = []
    session.on("Tracing.dataCollected", lambda data: traced.extend(data["value"]))
    session.on("Tracing.tracingComplete", lambda data: ended.append(data))
    config = {"includedCategories": ["toplevel", "__metadata"], "excludedCategories": ["*"]}
    session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
    found: dict[str, Any] = page.evaluate(_SCROLL)
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(50)
    return {**found, "tasks": _main_thread_ms(traced)}


def _main_thread_ms(traced: list[dict[str, Any]]) -> list[float]:
    """CPU milliseconds of each task of the renderer's main thread that scrolled most."""
    mains = {
        (event["pid"], event["tid"])
        for event in traced
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {}
    for event in traced:
        thread = (event["pid"], event["tid"])
        if thread in mains and event["name"].endswith("RunTask") and "tdur" in event:
            by_thread.setdefault(thread, []).append(event["tdur"] / 1000)
    return max(by_thread.values(), key=sum)


def _load_all(page: Page) -> None:
    """Scroll to the end until there is no more."""
    height = 0
    while height < LINES * 22:
        page.locator(".rows").evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
        page.wait_for_timeout(10)
        height = int(page.locator(".rows").evaluate("rows => rows.scrollHeight"))


def _many_lines(route: Route) -> None:
    """Answer as the API does, without its stack: a page of LINES made lines."""
    body = json.loads(route.request.post_data or "{}")
    first = int(body.get("cursor") or 0)
    events = [
        {
            "id": f"e-{number}",
            "timestamp": f"2026-11-30T10:{number // 60 % 60:02}:{number % 60:02}.000000000Z",
            "received_at": "2026-11-30T10:00:00Z",
            "level": ("info", "warn", "error")[number % 3],
            "service": f"service-{number % 9}",
            "project_id": "default",
            "message": f"order {number} of many was answered with a line of ordinary length",
            "trace_id": "",
            "span_id": "",
            "metadata": {"order": number, "region": "eu-central-1"},
        }
        for number in range(first, first + PAGE)
    ]
    following = first + PAGE
    page = {
        "events": events,
        "next_cursor": str(following) if following < LINES else None,
        "stats": {"rows_read": following, "elapsed_ms": 1.0},
    }
    route.fulfill(json=page)


def _send(visitor: Visitor, key: str) -> None:
    now = time.time()
    events = [
        {"message": f"order {number} shipped", "service": "checkout", "timestamp": now - number}
        for number in range(EVENTS)
    ]
    answer = httpx.post(
        f"{visitor.stack.api}/v1/drain?wait=true",
        json={"events": events},
        headers={"authorization": f"Bearer {key}"},
        timeout=60,
    )
    answer.raise_for_status()


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        running_stack(Path(place) / "stack") as stack,
        chromium() as process,
        window(process) as browser,
    ):
        browser.page.set_viewport_size({"width": 1440, "height": 900})
        visitor = Visitor(browser.page, stack, "bench@example.org")
        visitor.join()
        _send(visitor, visitor.create_first_key())
        painted = first_search(visitor)
        scrolled = scrolling(visitor)
    tasks, frames = scrolled["tasks"], scrolled["frames"]
    slow = sum(each > LONG_MS for each in tasks)
    sys.stdout.write(
        f"first search painted, CPU {THROTTLE}x slower: median {statistics.median(painted):.0f} ms, "
        f"{min(painted):.0f} to {max(painted):.0f} ms in {ROUNDS} rounds\n"
        f"{LINES:,} lines scrolled in {frames:,} frames: {sum(tasks) / frames:.1f} ms of CPU a frame, "
        f"longest task {max(tasks):.0f} ms, over {LONG_MS} ms: {slow}\n"
    )


if __name__ == "__main__":
    main()
