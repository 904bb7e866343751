"""What a member subscribes to: topics by name, or a pattern."""

from worker.settings import GroupProtocol, Settings


def subscription(settings: Settings) -> list[str]:
    """The input topics, or their pattern in the form that whoever applies it expects.

    librdkafka, with the classic protocol, looks for the pattern in the topic's name. A broker, with KIP-848, wants the
    whole name to match (RE2/J).
    """
    if settings.input.topics:
        return list(settings.input.topics)
    pattern = settings.input.topic
    return [pattern if settings.kafka.group_protocol is GroupProtocol.CLASSIC else f"^({pattern[1:]}).*"]
