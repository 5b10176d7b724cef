"""What went wrong, by the exit code of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._transfer import CheckReport, SyncReport


class Error(Exception):
    """The command failed. `exit_code` is its own, negative if a signal ended it; `omnistorage help exit-codes` has them all."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.report: SyncReport | CheckReport | None = None
        """What a run did before it failed, if it did anything."""


class UsageError(Error):
    """The command was not understood, or asks for what cannot be."""


class NotFound(Error):
    """There is no such object or directory."""


class Retryable(Error):
    """An error remained that may pass if it is run again."""


class Refused(Error):
    """Refused or stopped to keep data safe: an overlap, an empty source, too many deletes."""


class LimitReached(Error):
    """`max_transfer` or `max_duration` was reached."""


_KINDS: dict[int, type[Error]] = {
    2: UsageError,
    3: NotFound,
    4: NotFound,
    5: Retryable,
    7: Refused,
    8: LimitReached,
    10: LimitReached,
}


def error(exit_code: int, said: str) -> Error:
    """The error of an exit code, with what the command said of it."""
    message = said.strip().removeprefix("error: ") or f"the command ended with exit code {exit_code}"
    return _KINDS.get(exit_code, Error)(exit_code, message)
