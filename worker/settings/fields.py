"""What settings are made of: sections, and the types that several of them share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=86_400)]
JsonPointer = Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)+$", description="RFC 6901 JSON Pointer")]


def _not_only_dots(name: str) -> str:
    if name in {".", ".."}:
        message = "Kafka allows no topic of this name"
        raise ValueError(message)
    return name


TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$"), AfterValidator(_not_only_dots)]


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
