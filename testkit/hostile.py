"""Hostile records, as no well-meaning producer would send them, generated from a seed."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from testkit.records import record

ODDITIES = (
    b"",
    b" ",
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1e400",
    b"NaN",
    b"-Infinity",
    b'""',
    b'"\\u0000"',
    b"{}",
    b"[]",
    b"{{",
    b"[1,]",
    b'{"a":1,}',
    b"{'id':'1'}",
    b'{"id":"1","text":"x"}{"id":"2","text":"y"}',
    b'\xef\xbb\xbf{"id":"1","text":"x"}',
    '{"id":"1","text":"x"}'.encode("utf-16"),
    '{"id":"1","text":"x"}'.encode("utf-32"),
    b'{"id":"1","text":"\\ud83d"}',
    b'{"id":"1","text":"\\ude00\\ud83d"}',
    b'{"id":"1","text":"\\x41"}',
    b'{"id":"1","text":"a\nb"}',
    b'{"id":"1","text":"x","text":"y"}',
    b'{"id":"1","te\\u0078t":"x"}',
    b'{"__proto__":{},"id":"1","text":"x"}',
    b'{"id":1e308,"text":"x"}',
    b'{"id":"1","text":{"text":"x"}}',
    b'{"id":"","text":""}',
    b'{"id":"1","text":"x","n":' + b"1" * 5000 + b"}",
    b'{"id":"1","text":"x","n":' + b"[" * 250 + b"]" * 250 + b"}",
    b'{"id":"1","text":"x","n":' + b'{"a":' * 150 + b"1" + b"}" * 150 + b"}",
    b"\x00" * 64,
    b"\x1f\x8b\x08\x00",
    b"PK\x03\x04",
    b"<comment id='1'>x</comment>",
    b"id: 1\ntext: x\n",
)


def hostile_records(seed: int, count: int) -> Iterator[Any]:
    """`count` records, the same for the same seed: damaged, odd, random, in every Unicode plane, with many headers."""
    draw = random.Random(seed)
    for offset in range(count):
        value = None if draw.random() < 0.01 else draw.choice(_MAKERS)(draw)
        yield record(
            value,
            offset=offset,
            key=draw.choice((None, b"", b"k", draw.randbytes(8))),
            headers=_headers(draw),
            timestamp=draw.choice(((1, 1_795_348_800_000), (0, -1), (1, draw.randint(-(2**62), 2**62)), (2, 0))),
        )


def _valid(draw: random.Random) -> bytes:
    text = "".join(draw.choices("stupid jerk hello world \u00e9\u4e2d\U0001f600 ", k=draw.randint(0, 60)))
    return json.dumps({"id": f"c-{draw.random()}", "text": text}, ensure_ascii=draw.random() < 0.5).encode()


def _damaged(draw: random.Random) -> bytes:
    value = bytearray(_valid(draw))
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(value) + 1)
        match draw.randrange(4):
            case 0:
                value[at : at + 1] = draw.randbytes(1)
            case 1:
                del value[at : at + draw.randint(1, 5)]
            case 2:
                value[at:at] = draw.choice((b'"', b"\\", b"{", b"}", b"\\u", b"\xff", b"\x00", b":", b","))
            case _:
                value[at:at] = value[:at]
    return bytes(value)


def _random(draw: random.Random) -> bytes:
    return draw.randbytes(draw.randint(0, 300))


def _odd(draw: random.Random) -> bytes:
    return draw.choice(ODDITIES)


def _unicode(draw: random.Random) -> bytes:
    plane = draw.randrange(17) << 16
    text = "".join(chr(plane + draw.randrange(0x10000)) for _ in range(draw.randint(1, 30)))
    value = json.dumps({"id": "u", "text": text}, ensure_ascii=draw.random() < 0.5)
    return value.encode("utf-8", "surrogatepass")


def _json(draw: random.Random) -> bytes:
    document = {draw.choice(("id", "text", "", "x")): _any(draw, 4) for _ in range(draw.randint(0, 5))}
    return json.dumps(document).encode()


def _any(draw: random.Random, depth: int) -> Any:
    match draw.randrange(7 if depth else 5):
        case 0:
            return None
        case 1:
            return draw.random() < 0.5
        case 2:
            return draw.randint(-(10**30), 10**30)
        case 3:
            return draw.uniform(-1e300, 1e300)
        case 4:
            return draw.choice(("", "x", "text", "\u0000", "\U0001f600"))
        case 5:
            return [_any(draw, depth - 1) for _ in range(draw.randint(0, 3))]
        case _:
            return {str(number): _any(draw, depth - 1) for number in range(draw.randint(0, 3))}


def _headers(draw: random.Random) -> list[tuple[str, bytes | None]] | None:
    count = draw.choice((0, 0, 0, 1, 3, 200))
    if not count:
        return None
    # Drawn together: one by one, the headers took longer than everything else that a test does with the records.
    values = (None, b"", b"7", *(draw.randbytes(20) for _ in range(min(count, _RANDOM_HEADERS))))
    return list(zip(draw.choices(_HEADER_NAMES, k=count), draw.choices(values, k=count), strict=True))


_RANDOM_HEADERS = 5

_MAKERS: tuple[Callable[[random.Random], bytes], ...] = (_valid, _damaged, _damaged, _random, _odd, _unicode, _json)

_HEADER_NAMES = (
    "traceparent",
    "TraceParent",
    "tracestate",
    "content-type",
    "ce_id",
    "__connect.errors.topic",
    "dlq.replay_count",
    "x",
)
