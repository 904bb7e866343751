"""The chaos run's oracle on a stream whose topic stayed what it was: nothing may be lost and explained."""

from confluent_kafka import TopicCollection

from testkit.kafka import admin_client
from testkit.stream import Topics
from tests.chaos.events import Stream
from tests.chaos.losses import Losses
from tests.chaos.oracle import Oracle
from tests.chaos.places import Places


def judged(servers: str, topics: Topics, stream: Stream) -> Oracle:
    """An oracle that has judged all that came out of a stream that has ended."""
    places = Places()
    places.topic_ids.append(_topic_id(servers, topics.input))
    places.sent(len(stream))
    oracle = Oracle(stream, Losses(places))
    for message in topics.read(topics.output):
        oracle.label_event(message)
    for message in topics.read(topics.dead_letters):
        oracle.dead_letter(message)
    return oracle


def _topic_id(servers: str, topic: str) -> str:
    admin = admin_client(servers)
    return str(admin.describe_topics(TopicCollection([topic]))[topic].result(30).topic_id)
