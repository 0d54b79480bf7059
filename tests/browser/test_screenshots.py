"""The pictures of docs/screenshots: all pages, nothing that a reader's browser would run or load."""

import re
from xml.etree import ElementTree

import pytest

from tests.browser.screenshots import BEFORE_SIGN_IN, FOLDER, KINDS, SIGNED_IN_PICTURES, gallery

PICTURES = [*SIGNED_IN_PICTURES, *BEFORE_SIGN_IN]
NAMESPACES = ("http://www.w3.org/", "http://127.0.0.1:")


def test_every_page_has_its_pictures_and_the_gallery_shows_them() -> None:
    drawn = {path.name for path in FOLDER.glob("*.svg")}
    assert drawn == {f"{each.name}-{kind}.svg" for each in PICTURES for kind in KINDS}
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == gallery(PICTURES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_text_that_runs_and_loads_nothing(kind: str) -> None:
    for path in sorted(FOLDER.glob(f"*-{kind}.svg")):
        text = path.read_text(encoding="utf-8")
        names = {name for element in ElementTree.fromstring(text).iter() for name in element.attrib}  # noqa: S314 - ours
        assert not {name for name in names if name.startswith("on") or name.endswith("href")}, path.name
        assert "<script" not in text
        assert "@import" not in text
        assert not re.search(r"[(\s]/\w[\w/]*\.md", text), f"{path.name}: a path of the machine that drew it"
        addresses = re.findall(r"https?://[^\s\"'<]*", text)
        assert not [each for each in addresses if not each.startswith(NAMESPACES)], path.name
