"""With a region, clients authenticate with tokens of AWS's signer; without, nothing is asked of it."""

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from worker.errors import SettingsInvalid
from worker.kafka.client.properties import client_properties, consumer_properties, producer_properties
from worker.settings import KafkaSettings, Settings
from worker.settings.configuration import load

REGION = "eu-central-1"


@pytest.mark.parametrize("properties_of", [client_properties, consumer_properties, producer_properties])
def test_every_client_gets_a_token_that_holds_for_minutes(
    properties_of: Callable[[Settings], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    settings = Settings(kafka=KafkaSettings(msk_iam_region=REGION))
    properties = properties_of(settings)
    assert (properties["security.protocol"], properties["sasl.mechanism"]) == ("SASL_SSL", "OAUTHBEARER")
    token, ends = properties["oauth_cb"]("")
    signed = parse_qs(urlparse(base64.urlsafe_b64decode(token + "==").decode()).query)
    assert signed["Action"] == ["kafka-cluster:Connect"]
    assert f"/{REGION}/kafka-cluster/" in signed["X-Amz-Credential"][0]
    assert 60 < ends - time.time() <= 900, "seconds since the epoch, as confluent-kafka wants them"


def test_without_a_region_no_client_is_asked_for_tokens() -> None:
    assert "oauth_cb" not in client_properties(Settings())


def test_a_region_beside_another_mechanism_is_refused() -> None:
    flags = {"kafka.msk_iam_region": REGION, "kafka.properties": '{"sasl.mechanism": "PLAIN"}'}
    with pytest.raises(SettingsInvalid, match=r"leave out sasl\.mechanism"):
        load(flags=flags)
