"""What can stop a worker, and the exit code each one ends it with.

    SluiceError                 1   any error with a message for the user
      Fatal                     1   the client, the device or memory is broken
      SettingsInvalid           2   settings or arguments are wrong
      NoBroker                  3   no broker answered within the limit
      NoRegistry                3   no schema registry answered within the limit
      DrainDeadlinePassed       4   shutdown ran out of time; nothing is lost
      BreakerOpen               5   too many records were rejected
      ModelFault                6   the model cannot be loaded or cannot score
      FlagRateOff               7   a label comes out of the ordinary, and the worker is to stop on it
      AuditFailed               8   an audit found a difference, or nothing that it could score again

    OwnershipLost, Retryable, Rebalancing, Poison: signals between the parts of a worker; each is handled where it is
    expected and none ends a command.

What is wrong with one record is never an exception that leaves its step: it becomes a `Rejected` outcome
(`worker.types`). Messages say what happened, to what, and what to do; they never quote a comment's text.
"""

from typing import ClassVar


class SluiceError(Exception):
    """Any error that ends a command with a message for its user and with `exit_code`."""

    exit_code: ClassVar[int] = 1


class Fatal(SluiceError):
    """The worker can't go on: a fatal Kafka error, a device or memory fault. Nothing is dead-lettered."""


class SettingsInvalid(SluiceError):
    """Settings or arguments are wrong; the message lists every problem found."""

    exit_code = 2


class NoBroker(SluiceError):
    """No broker answered within the limit."""

    exit_code = 3


class NoRegistry(SluiceError):
    """No schema registry answered within the limit, and a record needs a schema."""

    exit_code = 3


class DrainDeadlinePassed(SluiceError):
    """Shutdown ran out of time: work in flight was dropped. It was not committed, so nothing is lost."""

    exit_code = 4


class BreakerOpen(SluiceError):
    """Too many records were rejected: the worker stopped before it drained the topic into the dead letters."""

    exit_code = 5


class ModelFault(SluiceError):
    """The model cannot be loaded or cannot score."""

    exit_code = 6


class FlagRateOff(SluiceError):
    """A label's share of the comments is out of the ordinary: the worker stopped on it, as `flag_rate.stop` says."""

    exit_code = 7


class AuditFailed(SluiceError):
    """An audit found a difference beyond the tolerance, or none of its events could be scored again."""

    exit_code = 8


class OwnershipLost(Exception):
    """The group has given these partitions to another member: drop the work, commit nothing, keep polling."""


class Retryable(Exception):
    """The same call may succeed a little later; the caller bounds how often and how long."""


class Rebalancing(Retryable):
    """The group is between two generations: what it refuses now it may accept when it has settled."""


class Poison(Exception):
    """Some text of a batch cannot be scored; the batch is bisected until that text stands alone."""
