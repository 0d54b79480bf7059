from pathlib import Path

from tests.language.class_names import repeated_class_names
from tests.language.scan import hits


def words(path: str, text: str) -> list[tuple[int, str]]:
    return [(each.line, each.word) for each in hits(path, text)]


def test_comments_docstrings_messages_and_names_are_read() -> None:
    text = '"""Tells\nof it."""\n# nobody\nerror = "mend it now"\ndef _told_apart(): ...\n'
    assert words("a.py", text) == [(1, "Tells"), (3, "nobody"), (4, "mend"), (5, "told apart")]


def test_a_hit_inside_a_long_text_has_its_own_line() -> None:
    assert words("a.py", '"""One.\n\nTwo: somebody.\n"""\n') == [(3, "somebody")]


def test_code_in_markdown_is_not_read() -> None:
    assert words("a.md", "`told`\n```\nnobody\n```\nwhoever\n") == [(5, "whoever")]


def test_a_literal_that_is_no_sentence_is_not_read() -> None:
    assert words("a.py", 'kind = "told"\n') == []


def test_the_texts_and_comments_of_the_dashboard_are_read() -> None:
    text = "/** Of a line. */\n// nobody\n<p>Then come back.</p>\nconst kind = `told`;\n"
    assert words("web/src/a.tsx", text) == [(1, "/** Of"), (2, "nobody"), (3, "come back")]


def test_a_docstring_of_the_product_names_its_subject() -> None:
    text = 'MAX = 1\n"""Of a line."""\nMIN = 0\n"""The limit of a line."""\n'
    assert words("functions/a.py", text) == [(2, '"""Of')]
    assert words("tests/a.py", text) == []


def test_a_class_name_that_occurs_twice_is_found_and_settings_may(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class Page: ...\nclass Settings: ...\n")
    (tmp_path / "b.py").write_text("class Settings: ...\ndef f():\n    class Page: ...\n")
    assert repeated_class_names(tmp_path) == {"Page": ["a.py", "b.py"]}


def test_no_class_name_of_the_functions_occurs_twice() -> None:
    assert repeated_class_names() == {}
