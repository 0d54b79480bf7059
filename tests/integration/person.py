"""A person who uses the service as customers do."""

import re
from uuid import uuid4

import httpx


class Person:
    """A person who signs up, and whose password, tokens and keys are secrets from then on."""

    def __init__(self, client: httpx.Client, mail: str) -> None:
        self._client, self._mail = client, mail
        self.email = f"{uuid4().hex}@example.org"
        self.password = f"Canary-password-{uuid4().hex}"
        self.secrets = [self.password]

    def joins(self) -> str:
        """Sign up, confirm, log in; the access token."""
        form = {"name": "Canary", "email": self.email, "password": self.password, "accept_terms": True}
        assert self._client.post("/v1/signup", json=form).status_code == 202
        confirmation = {**self.mailed_code(), "password": self.password}
        assert self._client.post("/v1/signup/confirm", json=confirmation).status_code == 200
        return self.logs_in()

    def logs_in(self) -> str:
        """The access token."""
        answer = self._client.post("/v1/login", json={"email": self.email, "password": self.password}).json()
        self.secrets += [answer["access_token"], answer["refresh_token"]]
        token: str = answer["access_token"]
        return token

    def mailed_code(self) -> dict[str, str]:
        mails = httpx.get(self._mail, params={"to": self.email}).json()
        code = re.search(r"\b\d{6}\b", mails[-1]["text"])
        assert code
        return {"email": self.email, "code": code[0]}

    def sets_another_password(self) -> None:
        another = f"Canary-another-{uuid4().hex}"
        self._client.post("/v1/password/forgot", json={"email": self.email})
        form = {**self.mailed_code(), "password": another}
        assert self._client.post("/v1/password/reset", json=form).status_code == 200
        self.secrets.append(another)
        self.password = another
