"""docs/dashboard.md: the page on the API's origin."""

import re

from local.naming import PROJECT_ROOT
from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = "A browser at the API's address gets to the dashboard, its page and its files."


def run(here: Deployed) -> None:
    opened = here.api.ask("GET /", headers={"Accept": "text/html"})
    expect(opened.status == 303, f"the bare address answered a browser with {opened.status}")
    page = here.api.done("GET /search")
    files = re.findall(r'(?:src|href)="(/assets/[^"]+)"', str(page))
    expect(len(files) >= 2, "the page names no script or no style")
    for file in files:
        built = (PROJECT_ROOT / "web" / "dist" / file.removeprefix("/")).read_text(encoding="utf-8")
        expect(here.api.done(f"GET {file}") == built, f"{file} is not the built file")
    gone = here.api.ask("GET /assets/another-version.js")
    expect(gone.status == 404, f"a file of another version answered {gone.status}")
