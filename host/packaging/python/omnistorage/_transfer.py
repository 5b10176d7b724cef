"""Sync, copy, move and check, each with the summary of the command."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from ._process import Option, Place, Process


@dataclass(frozen=True)
class SyncReport:
    """What a run did; with `dry_run` what it would have done."""

    dry_run: bool
    checked: int
    transferred: int
    bytes: int
    updated_times: int
    deleted: int
    renamed: int
    sources_removed: int
    skipped: int
    errors: int
    deletes_withheld: int
    deletes_withheld_because: Optional[str]
    stopped: Optional[str]
    elapsed_ms: int


@dataclass(frozen=True)
class CheckReport:
    """What a comparison found, in objects."""

    checked: int
    same: int
    differ: int
    missing_on_source: int
    missing_on_target: int
    errors: int
    elapsed_ms: int

    @property
    def is_same(self) -> bool:
        """Whether both sides were seen whole, and are the same."""
        return self.checked == self.same and self.errors == 0


_Report = TypeVar("_Report", SyncReport, CheckReport)


def _report(kind: type[_Report], summary: dict[str, Any]) -> _Report | None:
    """What a summary tells. All of it must be there; it counts nothing if the run did not come to anything."""
    values = {field.name: summary[field.name] for field in dataclasses.fields(kind)}
    return None if values["checked"] is None else kind(**values)


def _run(kind: type[_Report], command: str, source: Place, target: Place, options: dict[str, Option]) -> _Report:
    process = Process([command, "--json"], options, [source, target], reads=True)
    try:
        summary: dict[str, Any] | None = None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "summary":
                summary = event
        report = None if summary is None else _report(kind, summary)
        exit_code = process.exit_code()
        # Differences are an answer, too.
        is_answer = exit_code == 0 or (exit_code == 1 and isinstance(report, CheckReport) and report.errors == 0)
        if report is None or not is_answer:
            failure = process.failure()
            failure.report = report
            raise failure
        return report
    finally:
        process.abandon()


def sync(source: Place, target: Place, **options: Option) -> SyncReport:
    """Makes the directory `target` equal to `source`: transfers what differs, deletes what is extra.

    Raises an `Error` whose `report` is what was done until then: `Refused` for an empty source.
    """
    return _run(SyncReport, "sync", source, target, options)


def copy(source: Place, target: Place, **options: Option) -> SyncReport:
    """Transfers what differs from `source` to `target`, and deletes nothing. Raises as `sync` does."""
    return _run(SyncReport, "copy", source, target, options)


def move(source: Place, target: Place, **options: Option) -> SyncReport:
    """Transfers what differs, then removes from `source` what is on `target`. Raises as `sync` does."""
    return _run(SyncReport, "move", source, target, options)


def check(source: Place, target: Place, **options: Option) -> CheckReport:
    """Compares two directories, and changes nothing. Differences are no error: see `CheckReport.is_same`."""
    return _run(CheckReport, "check", source, target, options)
