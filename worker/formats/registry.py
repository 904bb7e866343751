"""The schema registry's client, and what its errors mean to the worker.

A registry that doesn't answer is transient and says nothing about a record; one that refuses the credentials, or is
no registry, needs a person. Only its clear word that it knows no such schema is a record's fault.
"""

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from worker.errors import Retryable, SettingsInvalid
from worker.settings import RegistrySettings
from worker.settings.secrets import without_secrets

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

T = TypeVar("T")

_REFUSED = (401, 403)
_TRANSIENT = (408, 425, 429)
_SERVER_ERRORS = 500
_UNKNOWN = 404
_UNKNOWN_CODES = (40401, 40402, 40403)
"""Subject, version and schema not found: the API's own codes, which a wrong path or another server does not give."""

INSTALL = "pip install 'sluice-worker[registry]'"


class NotInRegistry(Exception):
    """The registry answered that it has no such schema or subject."""


def make_client(settings: RegistrySettings) -> "SchemaRegistryClient":
    """The client that the settings describe; it asks nothing yet.

    Raises:
        SettingsInvalid: A property is wrong, a file can't be read, or the extra isn't installed.
    """
    try:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        message = f"formats with a schema registry need the extra `registry` ({error}): {INSTALL}"
        raise SettingsInvalid(message) from None
    try:
        return SchemaRegistryClient(_properties(settings))
    except (ValueError, TypeError, OSError) as error:
        known = {"password": settings.password, **settings.properties}
        message = f"registry: {without_secrets(str(error), known)}"
        raise SettingsInvalid(message) from None


def meaning(settings: RegistrySettings, error: Exception, what: str) -> Exception | None:
    """What an error of the client means; None for one that has nothing to do with the registry.

    Args:
        settings: Named in the messages.
        error: What the client raised.
        what: What was asked, for the messages: "for schema 7".

    Returns:
        `NotInRegistry`, `Retryable` (no answer, or a transient one) or `SettingsInvalid` (it refuses, or is none).
    """
    from confluent_kafka.schema_registry.error import OAuthTokenError, SchemaRegistryError  # noqa: PLC0415 - an extra
    from httpx2 import HTTPError, InvalidURL  # noqa: PLC0415 - what confluent-kafka's client uses

    where = f"the schema registry at {settings.url}"
    if isinstance(error, SchemaRegistryError):
        return _answer(error, where, what)
    if isinstance(error, HTTPError):
        if _is_distrust(error):
            return SettingsInvalid(
                f"the certificate of {where} can't be verified ({error}): set registry.ca_location to the certificate "
                "of the authority that signed it, and connect by a name that it holds"
            )
        return Retryable(f"{where} did not answer when asked {what} ({str(error) or type(error).__name__})")
    if isinstance(error, InvalidURL):
        return SettingsInvalid(f"registry.url: {error}")
    if isinstance(error, OAuthTokenError):
        return Retryable(f"no token for {where} ({error.message}): check bearer.auth... in registry.properties")
    return None


def ask(settings: RegistrySettings, what: str, call: Callable[[], T]) -> T:
    """The result of a call of the client.

    Raises:
        NotInRegistry: There is no such schema or subject.
        Retryable: No answer, or a transient one.
        SettingsInvalid: The registry refuses, or is none.
    """
    try:
        return call()
    except Exception as error:
        if (known := meaning(settings, error, what)) is None:
            raise
        raise known from None


def _answer(error: Any, where: str, what: str) -> Exception:
    """What an answer that is an error means; the registry's own words name schemas and never hold a record's text."""
    status, code = error.http_status_code, error.error_code
    said = f"HTTP {status}" + (f", {error.error_message}" if code not in (None, -1) else "")
    if status in _REFUSED:
        return SettingsInvalid(
            f"{where} refused to be asked {what} ({said}): check registry.username and registry.password, and that "
            "this user may read the subject (and write it, with registry.register_schemas)"
        )
    if status == _UNKNOWN and code in _UNKNOWN_CODES:
        return NotInRegistry(said)
    if status in _TRANSIENT or status >= _SERVER_ERRORS:
        return Retryable(f"{where} could not answer when asked {what} ({said})")
    if status == _UNKNOWN:
        return SettingsInvalid(
            f"{where} knows no such request ({said}): registry.url must lead to an API as Confluent's, for some "
            "registries with a path such as /apis/ccompat/v7"
        )
    return SettingsInvalid(f"{where} refused when asked {what} ({said})")


def _is_distrust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _properties(settings: RegistrySettings) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "url": settings.url,
        "timeout": settings.request_seconds,  # without it the client waits for ever
        "max.retries": 0,  # `worker.formats` retries, so that a signal is heard meanwhile
    }
    if settings.username is not None:
        properties["basic.auth.user.info"] = f"{settings.username}:{settings.password}"
    for name, path in (
        ("ssl.ca.location", settings.ca_location),
        ("ssl.certificate.location", settings.certificate_location),
        ("ssl.key.location", settings.key_location),
    ):
        if path is not None:
            properties[name] = str(path)
    return properties | settings.properties
