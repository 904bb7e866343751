"""The error for a document that is no comment by the settings."""


class Unreadable(Exception):
    """A document cannot be read as a comment.

    Attributes:
        error: Kind of error, one word in CamelCase: the header `__connect.errors.exception.class.name`.
        reason: One sentence for a person; it never quotes the document.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason


_JSON_TYPES: dict[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


def type_name(value: object) -> str:
    """The JSON type of a parsed value, with its article."""
    return "null" if value is None else _JSON_TYPES.get(type(value), "a number")
