"""What settings are made of: sections, and the types that several of them share."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=86_400)]
JsonPointer = Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)+$", description="RFC 6901 JSON Pointer")]


def _not_only_dots(name: str) -> str:
    if name in {".", ".."}:
        message = "Kafka allows no topic of this name"
        raise ValueError(message)
    return name


TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$"), AfterValidator(_not_only_dots)]


def from_json(value: Any) -> Any:
    """Decode a list or an object that came as text, as variables and flags bring it; anything else is returned.

    Raises:
        ValueError: It begins as one of them does, and is not JSON.
    """
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        message = "not JSON"
        raise ValueError(message) from None


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
