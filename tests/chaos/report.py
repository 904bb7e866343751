"""What is printed of a run, and what of it is a failure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.events import Kind, Stream
from tests.chaos.fleet import UnexpectedEnd
from tests.chaos.oracle import Findings, Oracle
from tests.chaos.plan import Fault

_EXACTLY_ONCE = "exactly-once"
_NAMED = 100


@dataclass(frozen=True, slots=True)
class Report:
    """Facts of one run, once it is over."""

    guarantee: str
    protocol: str
    seed: int
    seconds: float
    workers: int
    brokers: int
    stream: Stream
    oracle: Oracle
    faults: Mapping[Fault, int]
    planned: int
    exits: Mapping[int, int]
    unexpected: Sequence[UnexpectedEnd]
    longest_stall: tuple[float, str]
    gave_up: str
    verdicts: Sequence[str]

    @property
    def failures(self) -> list[str]:
        """What broke a promise, in words; empty when all were kept."""
        oracle = self.oracle
        found = []
        if oracle.missing:
            found.append(f"{oracle.missing:,} events are lost: {self._names_of_the_missing()}")
        if self.gave_up:
            found.append(f"the run gave up: {self.gave_up}")
        if self.unexpected:
            codes = ", ".join(str(end.exit_code) for end in self.unexpected)
            found.append(f"{len(self.unexpected)} workers ended that nobody asked to, or not as asked: {codes}")
        never = {
            "unexplained records": oracle.unexplained,
            "altered records": oracle.altered,
            "repeats under another event id": oracle.differing,
        }
        if self.guarantee == _EXACTLY_ONCE:
            never |= {
                "events came out more than once": oracle.doubled,
                "events out of their key's order": oracle.disorder,
            }
        found += [f"{f.count:,} {what}: {_examples(f)}" for what, f in never.items() if f.count]
        return found

    @property
    def lines(self) -> list[str]:
        """For a person."""
        oracle, sent = self.oracle, Counter(self.stream.kinds)
        kinds = ", ".join(f"{sent[kind]:,} {kind.name.lower().replace('_', ' ')}" for kind in Kind)
        faults = ", ".join(f"{kind.value} {self.faults.get(kind, 0)}" for kind in Fault)
        stall, after = self.longest_stall
        exits = ", ".join(f"{code}: {count}" for code, count in sorted(self.exits.items()))
        return [
            f"{self.guarantee}, {self.protocol} group protocol, seed {self.seed}",
            f"  members        {self.workers} workers, {self.brokers} brokers",
            f"  events         {len(self.stream):,} in {self.seconds:,.1f} s ({kinds})",
            f"  faults         {sum(self.faults.values())} of {self.planned} planned ({faults})",
            f"  lost           {oracle.missing:,}",
            f"  doubled        {oracle.doubled.count:,} events, {oracle.repeats:,} repeats in all",
            f"  repeats under another event id  {oracle.differing.count:,}",
            f"  unexplained    {oracle.unexplained.count:,} dead letters or label events",
            f"  altered        {oracle.altered.count:,}",
            f"  out of order   {oracle.disorder.count:,} label events, within their key",
            f"  longest stall  {stall:.1f} s (last fault begun: {after})",
            f"  worker exits   {exits or 'none'}; {len(self.unexpected)} unexpected",
            *(f"  FAILED: {failure}" for failure in self.failures),
            *(f"  missing        {verdict}" for verdict in self.verdicts[:_NAMED]),
        ]

    @property
    def document(self) -> dict[str, Any]:
        """For a machine: the same, as JSON."""
        oracle, sent = self.oracle, Counter(self.stream.kinds)
        stall, after = self.longest_stall
        return {
            "guarantee": self.guarantee,
            "protocol": self.protocol,
            "seed": self.seed,
            "seconds": self.seconds,
            "workers": self.workers,
            "brokers": self.brokers,
            "events": len(self.stream),
            "events_by_kind": {kind.name.lower(): sent[kind] for kind in Kind},
            "faults": {kind.value: self.faults.get(kind, 0) for kind in Fault},
            "faults_planned": self.planned,
            "lost": oracle.missing,
            "lost_events": [f"e-{number}" for number in oracle.missing_numbers()],
            "doubled_events": oracle.doubled.count,
            "repeats": oracle.repeats,
            "repeats_under_another_id": oracle.differing.count,
            "unexplained": oracle.unexplained.count,
            "altered": oracle.altered.count,
            "out_of_order": oracle.disorder.count,
            "longest_stall_seconds": round(stall, 1),
            "longest_stall_after": after,
            "worker_exits": {str(code): count for code, count in sorted(self.exits.items())},
            "unexpected_ends": [end._asdict() for end in self.unexpected],
            "failures": self.failures,
            "missing_events": list(self.verdicts),
        }

    def _names_of_the_missing(self) -> str:
        names = [f"e-{number}" for number in self.oracle.missing_numbers(_NAMED)]
        more = self.oracle.missing - len(names)
        return ", ".join(names) + (f" and {more:,} more (all are in the report file)" if more else "")


def _examples(findings: Findings) -> str:
    more = findings.count - len(findings.examples)
    return "; ".join(findings.examples) + (f" and {more:,} more" if more else "")
