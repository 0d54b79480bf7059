"""Secrets as a type: text that is used explicitly and cannot be printed by accident."""

from collections.abc import Callable
from typing import Any, NoReturn


class SecretText:
    """Text that no repr, str, format, JSON, pickle, copy or traceback shows; only `reveal` returns it.

    Equal to another secret of the same content, compared in constant time; never equal to plain text; not
    hashable, so that it cannot become a dictionary key by mistake. The text is stored in a closure: code that
    walks an object's attributes or slots finds a function.
    """

    __slots__ = ("__held",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a secret is made of text, not of {type(text).__name__}")
        self.__held: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """The secret itself: call this at the place of use, as late as possible, and store no copy."""
        return self.__held()

    def __repr__(self) -> str:
        return "SecretText(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, _specification: str) -> str:
        return "…"

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest

        if not isinstance(other, SecretText):
            return NotImplemented
        # JSON can contain an unpaired surrogate, and the encoding error would contain the text.
        mine, theirs = (each.reveal().encode("utf-8", "surrogatepass") for each in (self, other))
        return compare_digest(mine, theirs)

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")

    def __reduce__(self) -> NoReturn:
        self.__reduce_ex__(0)

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)
