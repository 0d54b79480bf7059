"""The API key of a request, whatever stands in its header."""

import pytest

from functions.shared import sent_key


@pytest.mark.parametrize("credentials", ["éééé", "\ufeffabc", "%%%", "////"])
def test_basic_credentials_that_are_no_base64_of_text_are_the_key_as_sent(credentials: str) -> None:
    assert sent_key.find({"authorization": f"Basic {credentials}"}) == credentials
