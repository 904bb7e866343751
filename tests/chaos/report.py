"""What is printed of a run, and what of it is a failure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.chaos.accounts import Account, dead_letter_accounts, discrepancies, explained_repeats, move_accounts
from tests.chaos.events import Kind, Stream
from tests.chaos.fleet import IN_FLIGHT_RECORDS, Fleet
from tests.chaos.losses import Losses
from tests.chaos.oracle import Oracle
from tests.chaos.plan import Fault
from tests.chaos.stalls import Stall

if TYPE_CHECKING:
    from tests.chaos.run import Options

_EXACTLY_ONCE = "exactly-once"
_NAMED = 100


@dataclass(frozen=True, slots=True)
class Report:
    """Facts of one run, once it is over."""

    options: "Options"
    seconds: float
    stream: Stream
    oracle: Oracle
    losses: Losses
    fleet: Fleet
    faults: Mapping[Fault, int]
    planned: int
    impossible: Sequence[Fault]
    longest_stall: Stall
    gave_up: str
    verdicts: Sequence[str]

    @property
    def failures(self) -> list[str]:
        """What broke a promise, in words; empty when all were kept."""
        oracle, unexpected = self.oracle, self.fleet.unexpected
        found = []
        if oracle.missing:
            found.append(f"{oracle.missing:,} events are lost: {self._names_of_the_missing()}")
        if self.gave_up:
            found.append(f"the run gave up: {self.gave_up}")
        if unexpected:
            codes = ", ".join(str(end.exit_code) for end in unexpected)
            found.append(f"{len(unexpected)} workers ended that nobody asked to, or not as asked: {codes}")
        if self.losses.unreported:
            found.append("no worker reported that the topic was recreated")
        never = {
            "unexplained records": oracle.unexplained,
            "altered records": oracle.altered,
            "repeats with an event id that is not that of their log, model and threshold set": oracle.differing,
        }
        if self.options.guarantee == _EXACTLY_ONCE:
            never |= {
                "events came out more than once": oracle.doubled,
                "events out of their key's order": oracle.disorder,
            }
        found += [f"{findings.count:,} {what}: {findings}" for what, findings in never.items() if findings.count]
        if not self.gave_up:  # otherwise the output was not read to its end
            found += discrepancies(self.fleet.everyone, oracle.dead_letters)
        explained = explained_repeats(self.fleet.everyone, self.options.guarantee, IN_FLIGHT_RECORDS)
        if oracle.repeats > explained.most:
            found.append(f"{oracle.repeats:,} repeats, and {explained.interruptions} interruptions explain fewer")
        return found

    @property
    def accounts(self) -> list[Account]:
        """What was counted by the workers and found by the run."""
        workers = self.fleet.everyone
        return [*move_accounts(workers), *dead_letter_accounts(workers, self.oracle.dead_letters)]

    @property
    def lines(self) -> list[str]:
        """For a person."""
        options, oracle, losses, sent = self.options, self.oracle, self.losses, Counter(self.stream.kinds)
        kinds = ", ".join(f"{sent[kind]:,} {kind.name.lower().replace('_', ' ')}" for kind in Kind)
        faults = ", ".join(f"{kind.value} {self.faults.get(kind, 0)}" for kind in options.kinds)
        impossible = f"; impossible here: {', '.join(self.impossible)}" if self.impossible else ""
        exits = ", ".join(f"{code}: {count}" for code, count in sorted(self.fleet.exits.items()))
        lost = ", ".join(f"{len(numbers):,} {reason}" for reason, numbers in losses.explained.items())
        repeats = explained_repeats(self.fleet.everyone, options.guarantee, IN_FLIGHT_RECORDS)
        return [
            f"{options.guarantee}, {options.protocol} group protocol, seed {options.seed}",
            f"  members        {options.workers} workers, 3 brokers",
            f"  events         {len(self.stream):,} in {self.seconds:,.1f} s ({kinds})",
            f"  faults         {sum(self.faults.values())} of {self.planned} planned ({faults}){impossible}",
            f"  lost           {oracle.missing:,} without an explanation",
            f"  explained      {losses.count:,} lost ({lost}; {losses.unseen} recreations that no worker saw)",
            f"  doubled        {oracle.doubled.count:,} events, {oracle.repeats:,} repeats in all",
            f"  interruptions  {repeats.interruptions:,}, which explain {repeats.most:,} repeats at most",
            f"  moved twice    {oracle.moved_twice:,} records of a new log read before it was noticed, then again",
            f"  rescored       {oracle.rescored:,} repeats by another model and set, with another event id",
            f"  wrong ids      {oracle.differing.count:,} repeats",
            f"  unexplained    {oracle.unexplained.count:,} dead letters or label events",
            f"  altered        {oracle.altered.count:,}",
            f"  out of order   {oracle.disorder.count:,} label events, within their key and partition",
            f"  longest stall  {self.longest_stall.seconds:.1f} s (last fault begun: {self.longest_stall.after})",
            f"  worker exits   {exits or 'none'}; {len(self.fleet.unexpected)} unexpected",
            *(f"  allowed        {count} x {what}" for what, count in sorted(self.fleet.explained.items())),
            *(
                f"  account        {each.what}: {each.counted:,} counted, {each.found:,} found"
                for each in self.accounts
            ),
            *(f"  FAILED: {failure}" for failure in self.failures),
            *(f"  missing        {verdict}" for verdict in self.verdicts[:_NAMED]),
        ]

    @property
    def document(self) -> dict[str, Any]:
        """For a machine: the same, as JSON."""
        options, oracle, losses, sent = self.options, self.oracle, self.losses, Counter(self.stream.kinds)
        repeats = explained_repeats(self.fleet.everyone, options.guarantee, IN_FLIGHT_RECORDS)
        return {
            "guarantee": options.guarantee,
            "protocol": options.protocol,
            "seed": options.seed,
            "seconds": self.seconds,
            "workers": options.workers,
            "events": len(self.stream),
            "events_by_kind": {kind.name.lower(): sent[kind] for kind in Kind},
            "faults": {kind.value: self.faults.get(kind, 0) for kind in options.kinds},
            "faults_planned": self.planned,
            "faults_impossible": list(self.impossible),
            "lost": oracle.missing,
            "lost_events": [f"e-{number}" for number in oracle.missing_numbers()],
            "lost_explained": {reason: len(numbers) for reason, numbers in losses.explained.items()},
            "recreations_unseen": losses.unseen,
            "doubled_events": oracle.doubled.count,
            "repeats": oracle.repeats,
            "repeats_explained": repeats._asdict(),
            "moved_twice": oracle.moved_twice,
            "rescored": oracle.rescored,
            "wrong_ids": oracle.differing.count,
            "unexplained": oracle.unexplained.count,
            "altered": oracle.altered.count,
            "out_of_order": oracle.disorder.count,
            "longest_stall_seconds": round(self.longest_stall.seconds, 1),
            "longest_stall_after": self.longest_stall.after,
            "worker_exits": {str(code): count for code, count in sorted(self.fleet.exits.items())},
            "allowed_ends": dict(self.fleet.explained),
            "unexpected_ends": [end._asdict() for end in self.fleet.unexpected],
            "accounts": [account._asdict() for account in self.accounts],
            "failures": self.failures,
            "missing_events": list(self.verdicts),
        }

    def _names_of_the_missing(self) -> str:
        names = [f"e-{number}" for number in self.oracle.missing_numbers(_NAMED)]
        more = self.oracle.missing - len(names)
        where = "; ".join(self.losses.places.spans(np.array(self.oracle.missing_numbers(), dtype=np.int64)))
        return ", ".join(names) + (f" and {more:,} more (all are in the report file)" if more else "") + f": {where}"
