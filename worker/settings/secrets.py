"""Which librdkafka properties are secret, and how their values are kept out of what people read.

One list for the settings that are shown, for refusals, and for what librdkafka says of a client it cannot make.
"""

from collections.abc import Mapping
from typing import Any

MASK = "***"

_SIGNS = ("password", "passphrase", "secret", "token", "private", "jaas", "key.pem", "oauthbearer.config", "user.info")
"""Parts of the names of librdkafka's properties that hold credentials, and of those that other clients know."""


_ADDRESSES = (".url", ".location")
"""Ends of the names of properties that say where something is: `sasl.oauthbearer.token.endpoint.url`."""


def is_secret(name: str) -> bool:
    """True for a property whose value must not be shown."""
    return any(sign in name.lower() for sign in _SIGNS) and not name.lower().endswith(_ADDRESSES)


def masked(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the values of secret ones masked."""
    return {name: MASK if is_secret(name) else value for name, value in properties.items()}


def without_secrets(text: str, properties: Mapping[str, Any]) -> str:
    """`text` with every value of a secret property masked, wherever it stands."""
    for name, value in properties.items():
        if value and is_secret(name):
            text = text.replace(str(value), MASK)
    return text
