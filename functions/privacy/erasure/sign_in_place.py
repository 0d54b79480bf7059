"""The people of an account in Cognito, as a place of an erasure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.privacy.sign_ins import SignIns


@dataclass(frozen=True, slots=True)
class SignInPlace:
    """`subjects`: the ids of the people, recorded before any of their data was removed."""

    sign_ins: SignIns
    subjects: Callable[[], Sequence[str]]

    def count(self) -> int:
        return sum(self.sign_ins.of(each) is not None for each in self.subjects())

    def remove(self) -> str | None:
        for each in self.subjects():
            self.sign_ins.remove(each)
        return None
