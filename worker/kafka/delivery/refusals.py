"""Which errors of a broker are about one record and not about the broker itself."""

from typing import Final

from confluent_kafka import KafkaError

from worker.events.refused_record import Refusal

REFUSALS: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE: Refusal.TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE: Refusal.TOO_LARGE,
    KafkaError.INVALID_RECORD: Refusal.INVALID_RECORD,
    # The client's code for the other records of a request in which the broker named the invalid ones (KIP-467).
    KafkaError._INVALID_DIFFERENT_RECORD: Refusal.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP: Refusal.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION: Refusal.POLICY_VIOLATION,
}
"""A broker refuses a whole request for one record in it, so only a record that is refused alone is at fault."""
