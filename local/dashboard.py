"""The dashboard's built files, which `make web` writes and the function `page` serves here."""

from local.naming import PROJECT_ROOT

PAGE_FILES = PROJECT_ROOT / "web" / "dist"


def is_built() -> bool:
    """Whether there is a page to serve."""
    return (PAGE_FILES / "index.html").is_file()
