"""How librdkafka says that a log has lost its end."""

from confluent_kafka import KafkaError

from worker.kafka.client.truncation import Truncation, truncation

RESET = KafkaError._AUTO_OFFSET_RESET


def test_the_place_where_the_logs_part_is_read_from_the_error() -> None:
    said = (
        "Partition log truncation detected at offset 80 (leader epoch 3): broker end offset is 50 (offset leader epoch "
        "2). Reset to INVALID.: Local: Partition log truncation detected (broker 2)"
    )
    assert truncation(KafkaError(RESET, said)) == Truncation(80, 50)


def test_a_log_without_any_older_epoch_is_truncated_at_an_unknown_place() -> None:
    said = (
        "No epoch found less or equal to offset 80 (leader epoch 3): broker end offset is -1 (offset leader epoch -1). "
        "Reset using configured policy.: Local: Partition log truncation detected (broker 2)"
    )
    assert truncation(KafkaError(RESET, said)) == Truncation()
    assert truncation(KafkaError(KafkaError._LOG_TRUNCATION)) == Truncation()


def test_an_offset_out_of_range_is_no_truncation() -> None:
    said = "fetch failed due to requested offset not available on the broker: Broker: Offset out of range (broker 1)"
    assert truncation(KafkaError(RESET, said)) is None
