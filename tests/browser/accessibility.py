"""What every page must be for people who see little, use no mouse, or listen to a screen reader.

axe-core looks for violations of WCAG 2.2 AA; `web/node_modules` has it, as a development dependency only.
"""

from functools import cache
from typing import Any, Literal

from playwright.sync_api import Page

from local.naming import PROJECT_ROOT

AXE = PROJECT_ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
RULES_OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""All that a second theme can violate: themes differ in colours alone."""

GRAVE = frozenset({"serious", "critical"})
MAX_TAB_STOPS = 250
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_FOCUSED = """() => {
    const element = document.activeElement;
    return element === null || element === document.body ? null : element.outerHTML.slice(0, 120);
}"""


def violations(page: Page) -> list[str]:
    """Serious and critical violations in both themes, one line each: theme, rule, element, reason.

    The page must follow the system's theme, as it does until a person chooses one. Its state stays.
    """
    found = []
    for theme, rules in zip(THEMES, (RULES, RULES_OF_COLOURS), strict=True):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        found += [f"{theme}: {each}" for each in _violations(page, rules)]
    return found


def keyboard_trap(page: Page) -> str | None:
    """The element that the focus cannot leave with Tab, or None if it walks through the whole page."""
    page.evaluate("document.activeElement?.blur()")
    last, repeats = None, 0
    for _ in range(MAX_TAB_STOPS):
        page.keyboard.press("Tab")
        focused: str | None = page.evaluate(_FOCUSED)
        if focused is None:
            return None
        repeats = repeats + 1 if focused == last else 0
        if repeats == 3:
            break
        last = focused
    return last


def scrolls_sideways(page: Page) -> bool:
    """Whether something is wider than the window, or than the part of it that scrolls on a phone."""
    wider: bool = page.evaluate(
        """[document.documentElement, ...document.querySelectorAll("main")]
            .some((element) => element.scrollWidth > element.clientWidth)"""
    )
    return wider


def _violations(page: Page, rules: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())  # by the debugger: the page's policy lets no script in
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    result: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html']}: {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@cache
def _axe() -> str:
    return AXE.read_text()
