"""Authentication by AWS IAM at Amazon MSK: tokens from AWS's published signer, given to librdkafka as OAUTHBEARER.

The signer finds the credentials as every AWS client does (environment, profile, container or instance role, web
identity) and signs without a request to AWS. A token holds for 15 minutes; librdkafka asks for the next one at 80 % of
that, on its own thread, for as long as the client lives.
"""

from collections.abc import Callable
from typing import Any

from worker.errors import SettingsInvalid
from worker.settings import KafkaSettings

_MILLISECONDS = 1000
INSTALL = "pip install 'sluice-worker[msk-iam]'"


def msk_iam_properties(settings: KafkaSettings) -> dict[str, Any]:
    """Properties of a client that authenticates by IAM; none where `kafka.msk_iam_region` is not set.

    Raises:
        SettingsInvalid: The extra `msk-iam` is not installed.
    """
    if settings.msk_iam_region is None:
        return {}
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": _token_of(settings.msk_iam_region),
    }


def _token_of(region: str) -> Callable[[str], tuple[str, float]]:
    """A callback as confluent-kafka wants it: the token and when it ends, in seconds since the epoch.

    What it raises, librdkafka reports as a failed authentication and tries again ten seconds later.
    """
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        message = f"kafka.msk_iam_region needs the extra `msk-iam` ({error}): {INSTALL}"
        raise SettingsInvalid(message) from None

    def token(_: str) -> tuple[str, float]:
        signed, ends_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return signed, ends_ms / _MILLISECONDS

    return token
