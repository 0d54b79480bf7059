"""A page as an SVG image: its elements and styles as text, so that a picture can be reviewed and committed.

The elements stand in a `foreignObject`, with every rule of the page's style sheets that matches one of them.
Scripts, ids and links are left out, images are embedded as text, and what a person typed is written as a
value.
"""

from playwright.sync_api import Page

_SERIALIZE = """
async () => {
  const kept = [];
  const matches = (rule) => {
    const ofElements = rule.selectorText.replace(/::?(before|after|placeholder|marker)/g, "");
    try { return document.querySelector(ofElements) }
    catch { return true }
  };
  const collect = (rules) => {
    for (const rule of rules) {
      if (rule instanceof CSSMediaRule) {
        if (matchMedia(rule.conditionText).matches) collect(rule.cssRules);
      } else if (rule instanceof CSSStyleRule) {
        if (/:(hover|active|focus)/.test(rule.selectorText) || !matches(rule)) continue;
        kept.push(rule.cssText);
      }
    }
  };
  for (const sheet of document.styleSheets) collect(sheet.cssRules);
  const body = document.body.cloneNode(true);
  for (const each of body.querySelectorAll("script, link, style, noscript")) each.remove();
  const typed = document.body.querySelectorAll("input, textarea");
  body.querySelectorAll("input, textarea").forEach((each, index) => {
    if (each.tagName === "TEXTAREA") each.textContent = typed[index].value;
    else each.setAttribute("value", typed[index].value);
  });
  const copies = [...body.querySelectorAll("*")];
  [...document.body.querySelectorAll("*")]
    .filter((each) => !each.matches("script, link, style, noscript"))
    .forEach((each, index) => {
      if (each.scrollTop) copies[index].firstElementChild.style.marginTop = `${-each.scrollTop}px`;
    });
  for (const each of copies) {
    for (const name of ["href", "id", "for", "title"]) each.removeAttribute(name);
    for (const { name } of [...each.attributes]) {
      if (/^aria-(label|desc|controls)/.test(name)) each.removeAttribute(name);
    }
    if (each.src) each.src = "data:image/svg+xml," + encodeURIComponent(await (await fetch(each.src)).text());
  }
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_COMMENT);
  const comments = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  for (const each of comments) each.remove();
  return {
    body: new XMLSerializer().serializeToString(body),
    styles: kept.join("\\n").replace(/\\b100d?vh\\b/g, `${innerHeight}px`),
    theme: document.documentElement.dataset.theme ?? "light",
    fontSize: getComputedStyle(document.documentElement).fontSize,
  };
}
"""


_STILL = "* { scrollbar-width: none; transition: none; }"


def svg_of(page: Page) -> str:
    """What the window of `page` shows, as an SVG document of the window's size."""
    found = page.evaluate(_SERIALIZE)
    size = page.viewport_size
    assert size is not None
    width, height = size["width"], size["height"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" data-theme="{found["theme"]}" '
        f'style="font-size: {found["fontSize"]}">\n'
        f"<style><![CDATA[\n{found['styles']}\n{_STILL}\n]]></style>\n"
        f'<foreignObject width="{width}" height="{height}">\n'
        f'<html xmlns="http://www.w3.org/1999/xhtml" style="display: block; height: {height}px">\n'
        f"{found['body']}\n</html>\n</foreignObject>\n</svg>\n"
    )
