"""The commands in the order of their use, and the flags that stand for settings: what `sluice --help` lists."""

GROUPS = {
    "try it": {
        "demo": "the worker on sample comments, with a broker of its own",
        "classify": "labels texts without Kafka",
    },
    "set up": {
        "topics": "creates the topics it works with, or says how they differ",
        "doctor": "looks at topics, rights and registry, says what to fix",
        "config": "shows the effective settings and checks them",
    },
    "work": {
        "run": "the worker: comments in, label events out, until stopped",
        "produce": "sends comments from a file to the input topic",
        "watch": "follows the label events",
        "page": "the stream, its scores and its dead letters in a browser",
        "dead-letters": "shows, corrects and sends back what could not be labelled",
    },
    "quality": {
        "evaluate": "quality on labelled data, per label",
        "thresholds": "chooses per-label thresholds from labelled data",
        "audit": "scores published events again, reports every difference",
        "shadow": "how a candidate labels beside the model in use",
        "quantize": "tries int8 on labelled data, and allows it if nothing is lost",
    },
}

COMMANDS = {name: summary for commands in GROUPS.values() for name, summary in commands.items()}

ONE_OFF = frozenset({"produce", "watch", "dead-letters", "doctor", "topics", "audit", "page", "shadow"})
"""Commands that somebody waits for: they do not wait for a broker as long as a worker does."""

FLAGS = {
    "--bootstrap-servers": ("kafka.bootstrap_servers", "brokers to ask first"),
    "--group": ("kafka.group_id", "consumer group"),
    "--input-topic": ("input.topic", "topic of the comments"),
    "--output-topic": ("output.topic", "topic of the label events"),
    "--dead-letter-topic": ("dead_letters.topic", "topic of the dead letters"),
    "--model": ("model.id", "embedded name, hub name or folder"),
    "--revision": ("model.revision", "revision on the hub"),
    "--precision": ("model.precision", "auto, float32, bfloat16 or int8"),
    "--log-level": ("log.level", "debug, info, warning or error"),
}

_MODEL = ("--model", "--revision", "--precision")
_TOPICS = ("--bootstrap-servers", "--input-topic", "--output-topic", "--dead-letter-topic")

_MATTER = {
    "demo": _MODEL,
    "classify": _MODEL,
    "topics": _TOPICS,
    "doctor": (*_TOPICS, "--group"),
    "produce": ("--bootstrap-servers", "--input-topic"),
    "watch": ("--bootstrap-servers", "--output-topic"),
    "page": (*_TOPICS, "--group"),
    "dead-letters": ("--bootstrap-servers", "--group", "--dead-letter-topic"),
    "evaluate": _MODEL,
    "thresholds": _MODEL,
    "audit": ("--model", "--revision", "--bootstrap-servers", "--output-topic"),
    "shadow": ("--bootstrap-servers",),
    "quantize": ("--model",),
}


def flags_that_matter(command: str) -> tuple[str, ...]:
    """The flags that change what a command does; it takes the others, too, so that one line of them serves all."""
    return _MATTER.get(command, tuple(flag for flag in FLAGS if flag != "--log-level"))
