"""Settings of the page that shows the stream, its scores and its dead letters (`sluice page`)."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from worker.settings.fields import Section, from_json

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine reaches."""


def _several(value: Any) -> Any:
    value = from_json(value)
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


Url = Annotated[str, Field(pattern=r"^https?://[^/?#@]+([/?#].*)?$")]
"""Without a name and password, which the page would show to its readers."""

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")]


class PageSettings(Section):
    """The page (extra `page`): who may see it, what it may do, and how much it keeps."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; any but loopback needs token")
    port: int = Field(8090, ge=0, le=65_535, description="Port to listen on; 0: any free one")
    token: str | None = Field(
        None, min_length=16, max_length=1024, description="What a reader must give to see the page; none: no login"
    )
    names: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_several)] = Field(
        (),
        description="Host names that readers reach it by, with commas; addresses and localhost always work, and a "
        "request with any other name is refused, against DNS rebinding",
    )
    allow_replay: bool = Field(False, description="Whether readers may send dead letters back; without it, read-only")
    workers: Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_several)] = Field(
        (), description="Where workers serve /metrics, with commas: http://worker-1:8080; they add breaker and pause"
    )
    labelled: Path | None = Field(
        None, description="Labelled comments, as `sluice evaluate` reads them: precision and recall of other thresholds"
    )
    tail_records: int = Field(
        5000, ge=0, le=100_000, description="Newest records of each topic to begin with, over all its partitions"
    )
    kept_records: int = Field(5000, ge=100, le=100_000, description="Newest label events kept in memory")
    most_per_second: int = Field(
        200, ge=1, le=10_000, description="Label events read in a second; of a faster stream a sample is read"
    )
    runbook: str = Field(
        "https://sluice.example/RUNBOOK.md", pattern=r"^https?://", description="Where your copy of the runbook is read"
    )

    @model_validator(mode="after")
    def _beyond_this_machine_there_is_a_token(self) -> "PageSettings":
        if self.host not in LOOPBACK and self.token is None:
            message = (
                f"page.host = {self.host} lets other machines in: set page.token (SLUICE_PAGE__TOKEN, or "
                "SLUICE_PAGE__TOKEN_FILE), or listen on 127.0.0.1"
            )
            raise ValueError(message)
        return self
