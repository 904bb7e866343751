import re
from typing import Any

import pytest
from pydantic import ValidationError

from tests.deploy.files import ROOT, load_yaml, run_tool, unknown_settings
from worker.settings import PageSettings, Settings

FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = load_yaml(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["topics", "worker", "send", "watch", "page"]


@pytest.mark.parametrize("name", OURS)
def test_settings_given_to_a_service_exist(name: str) -> None:
    environment = list(SERVICES[name]["environment"])
    assert "SLUICE_KAFKA__BOOTSTRAP_SERVERS" in environment
    assert unknown_settings(environment) == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_workers_connect_to_the_listener_that_kafka_advertises() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    asked = SERVICES["worker"]["environment"]["SLUICE_KAFKA__BOOTSTRAP_SERVERS"]
    assert f"INTERNAL://{asked}" in advertised


def test_our_services_start_after_the_topics_exist() -> None:
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in ("worker", "send", "watch", "page"):
        assert SERVICES[name]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_the_worker_has_time_to_drain_before_it_is_killed() -> None:
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().delivery.drain_seconds


def test_options_of_a_tool_can_follow_its_name() -> None:
    """`docker compose run --rm watch --flagged` replaces the command and keeps the entrypoint."""
    for name, subcommand in (("watch", "watch"), ("send", "produce")):
        assert SERVICES[name]["entrypoint"][:2] == ["sluice", subcommand]
        assert "command" not in SERVICES[name]


def test_the_page_asks_for_a_token_and_may_change_nothing() -> None:
    environment = SERVICES["page"]["environment"]
    assert environment["SLUICE_PAGE__TOKEN"] == "${PAGE_TOKEN:-}"  # noqa: S105 - the name of one
    with pytest.raises(ValidationError, match=r"page\.token"):
        PageSettings(host=environment["SLUICE_PAGE__HOST"])
    assert "SLUICE_PAGE__ALLOW_REPLAY" not in environment


def test_up_starts_only_kafka_topics_and_worker() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["kafka", "topics", "worker"]


def test_ports_are_open_to_this_machine_only() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_files_that_are_mounted_exist() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert [mount for mount in mounts if mount.startswith(".") and not (ROOT / mount).exists()] == []
    assert {mount for mount in mounts if not mount.startswith(".")} == set(COMPOSE["volumes"])


def test_images_of_others_are_pinned_to_a_version() -> None:
    for name, service in SERVICES.items():
        if name not in OURS:
            assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name


def test_it_follows_the_compose_specification() -> None:
    run_tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE))
