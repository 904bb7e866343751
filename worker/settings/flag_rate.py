"""Settings of the watch over how many comments get each label."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from worker.settings.fields import Section, from_json

Share = Annotated[float, Field(ge=0, le=1)]


def _from_low_to_high(band: tuple[float, float]) -> tuple[float, float]:
    low, high = band
    if low > high:
        message = f"write the lower share first: [{high:g}, {low:g}]"
        raise ValueError(message)
    return band


Band = Annotated[tuple[Share, Share], AfterValidator(_from_low_to_high)]


class FlagRateSettings(Section):
    """When the share of comments that get a label is out of the ordinary, and whether the worker stops then."""

    window_records: int = Field(1000, ge=100, description="Newest comments, whose share is compared")
    past_records: int = Field(
        20_000,
        ge=100,
        description="Comments before those, with whose share it is compared once there are as many as window_records",
    )
    factor: float = Field(
        3, gt=1, description="A share surely this many times its past, or its past this many times it"
    )
    bands: Annotated[dict[str, Band], NoDecode, BeforeValidator(from_json)] = Field(
        default_factory=dict,
        description='Lowest and highest ordinary share of labels of the model, such as {"toxic": [0.01, 0.2]}',
    )
    stop: bool = Field(
        False,
        description="Exit 7 when a share is out of the ordinary, before that batch is published: for those who act on "
        "events without a person",
    )

    @model_validator(mode="after")
    def _a_past_is_as_long_as_a_window(self) -> "FlagRateSettings":
        if self.past_records < self.window_records:
            message = "flag_rate.past_records must be at least flag_rate.window_records: there would be no past"
            raise ValueError(message)
        return self
