"""The input event: a comment."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class CommentEvent(BaseModel):
    """A comment as Sluice reads it by default; fields beyond these ride along into the label event untouched.

    The value is one JSON object in UTF-8 (RFC 8259), without repeated names, NaN or lone surrogates, nested at most
    200 deep. A null value is a tombstone: passed over, or forwarded to the output topic. Anything else becomes a dead
    letter.
    """

    model_config = ConfigDict(extra="allow", strict=True, title="Comment")

    id: str | Annotated[int, Field(gt=-(10**39), lt=10**39)] = Field(
        description="The producer's own identifier of the comment; an integer has at most 39 digits"
    )
    text: str = Field(description="What was written; may be empty")
