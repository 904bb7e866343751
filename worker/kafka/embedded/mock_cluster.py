"""librdkafka's mock cluster as a process: started by the embedded broker, it ends when its standard input closes.

It speaks the Kafka protocol on 127.0.0.1 and comes with the client library (`rdkafka_mock.h`). Run as a script with one
argument, a JSON object: `brokers`, `topics` (name to partitions), `initial_rebalance_delay_ms`, `session_timeout_ms`,
`heartbeat_interval_ms`. Prints one JSON line, `{"bootstrap_servers": ...}` or `{"error": ...}`.

It has a process of its own because a protocol the cluster cannot serve aborts the process it runs in, and because
librdkafka's threads should not share the worker's cores unnoticed.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

import confluent_kafka.cimpl

_PRODUCER = 0
_CONFIGURED = 0
_ERROR_BYTES = 512
_PR_SET_PDEATHSIG = 1

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_conf_new": (ctypes.c_void_p, []),
    "rd_kafka_conf_set": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t],
    ),
    "rd_kafka_new": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
    "rd_kafka_destroy": (None, [ctypes.c_void_p]),
    "rd_kafka_err2str": (ctypes.c_char_p, [ctypes.c_int]),
    "rd_kafka_mock_cluster_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "rd_kafka_mock_cluster_destroy": (None, [ctypes.c_void_p]),
    "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [ctypes.c_void_p]),
    "rd_kafka_mock_topic_create": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
    "rd_kafka_mock_set_controller_id": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_set_group_consumer_session_timeout_ms": (None, [ctypes.c_void_p, ctypes.c_int]),
    "rd_kafka_mock_set_group_consumer_heartbeat_interval_ms": (None, [ctypes.c_void_p, ctypes.c_int]),
}


class MockClusterFailed(Exception):
    """The library has no mock cluster, or could not start it."""


class MockCluster:
    """A cluster that lives as long as this object; `close` frees it.

    Args:
        wanted: The settings that the module's docstring lists.

    Raises:
        MockClusterFailed: It could not be created.
    """

    def __init__(self, wanted: dict[str, Any]) -> None:
        self._library = _library()
        self._client = self._new_client()
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, wanted["brokers"])
        if not self._cluster:
            message = f"a cluster of {wanted['brokers']} brokers could not be created"
            raise MockClusterFailed(message)
        # Without a controller, administration requests wait for one until they time out.
        self._library.rd_kafka_mock_set_controller_id(self._cluster, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(
            self._cluster, wanted["initial_rebalance_delay_ms"]
        )
        self._library.rd_kafka_mock_set_group_consumer_session_timeout_ms(self._cluster, wanted["session_timeout_ms"])
        self._library.rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(
            self._cluster, wanted["heartbeat_interval_ms"]
        )
        for topic, partitions in wanted["topics"].items():
            self._create(topic, partitions, wanted["brokers"])

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of the brokers, `host:port,...`."""
        servers: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return servers.decode()

    def close(self) -> None:
        """Free the cluster and its client, in this order."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def _new_client(self) -> int:
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        properties = self._library.rd_kafka_conf_new()
        # The client itself connects to nothing; at the default level it would warn about that.
        status = self._library.rd_kafka_conf_set(properties, b"log_level", b"0", error, _ERROR_BYTES)
        client = None
        if status == _CONFIGURED:
            client = self._library.rd_kafka_new(_PRODUCER, properties, error, _ERROR_BYTES)
        if not client:
            raise MockClusterFailed(error.value.decode(errors="replace"))
        return int(client)

    def _create(self, topic: str, partitions: int, brokers: int) -> None:
        status = self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, min(brokers, 3))
        if status:
            reason = self._library.rd_kafka_err2str(status).decode()
            message = f"topic {topic} with {partitions} partitions could not be created: {reason}"
            raise MockClusterFailed(message)


def _library() -> ctypes.CDLL:
    """The librdkafka bundled with confluent-kafka, with types for the functions used here."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            message = (
                f"librdkafka {confluent_kafka.libversion()[0]} has no {name}: the embedded broker needs the "
                "confluent-kafka wheel, version 2.16 or later"
            )
            raise MockClusterFailed(message) from None
        function.restype = result
        function.argtypes = arguments
    return library


def _die_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone, even after a SIGKILL.

    The end of standard input signals the same, but not while another child of the parent still holds the pipe.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve until standard input closes."""
    _die_with_parent()
    # The terminal's Ctrl-C is for the parent process, which closes the pipe when it has finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        cluster = MockCluster(json.loads(sys.argv[1]))
    except MockClusterFailed as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps({"bootstrap_servers": cluster.bootstrap_servers}), flush=True)
    while os.read(sys.stdin.fileno(), 1024):
        pass
    cluster.close()


if __name__ == "__main__":
    main()
