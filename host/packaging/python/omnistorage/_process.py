"""One run of the command, with pipes."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from typing import IO, Union

from ._errors import Error, error

Place = Union[str, "os.PathLike[str]"]
"""A path, `s3://bucket/key`, `gs://bucket/key`, `az://container/key`, a URL of another server or `NAME:path`."""

Option = Union[bool, int, str, "os.PathLike[str]", Sequence[str]]
"""Of an option of the command: True for one without a value, False as if it was not there, a list for one that is repeated."""


@functools.lru_cache(maxsize=None)
def _command() -> str:
    """The command that was installed with this package: where scripts are, or those of the user; else the one on PATH."""
    schemes = [sysconfig.get_default_scheme(), f"{os.name}_user"] if sys.version_info >= (3, 10) else ["posix_prefix", "posix_user"]
    for scheme in schemes:
        command = pathlib.Path(sysconfig.get_path("scripts", scheme), "omnistorage")
        if command.is_file():
            return str(command)
    found = shutil.which("omnistorage")
    if found is None:
        raise FileNotFoundError("the command `omnistorage` is neither beside Python nor on PATH: install the package again")
    return found


def words(options: dict[str, Option]) -> list[str]:
    """Options as the command line has them."""
    given: list[str] = []
    for name, value in options.items():
        option = "--" + name.strip("_").replace("_", "-")
        if isinstance(value, bool):
            given += [option] if value else []
        elif isinstance(value, (str, int, os.PathLike)):
            given.append(f"{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
        else:
            given += [f"{option}={each}" for each in value]
    return given


class Process:
    """A run of the command. It is over once `wait` returned or `abandon` was called."""

    def __init__(self, command: Sequence[str], options: dict[str, Option], places: Sequence[Place], *, reads: bool = False,
                 writes: bool = False) -> None:
        self._said = tempfile.TemporaryFile()
        arguments = [_command(), *command, *words(options), "--", *[os.fspath(place) for place in places]]
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE if writes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
            stderr=self._said,
        )

    @property
    def stdin(self) -> IO[bytes]:
        return _open(self._process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        return _open(self._process.stdout)

    def end_input(self) -> None:
        """Says that all was written."""
        if self._process.stdin:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass  # it reads no further: its exit code tells why

    def exit_code(self) -> int:
        """Waits for its end, whatever it is."""
        self.end_input()
        return self._process.wait()

    def failure(self) -> Error:
        """What its end says, if that was not a good one."""
        self._said.seek(0)
        return error(self.exit_code(), self._said.read().decode("utf-8", "replace"))

    def wait(self) -> None:
        """Waits for its end. Raises an error if it is not a good one."""
        failed = self.failure() if self.exit_code() != 0 else None
        self._close()
        if failed:
            raise failed

    def terminate(self) -> None:
        """Ends it. What it was writing is as if it had never begun."""
        self._process.terminate()

    def abandon(self) -> None:
        """Ends it, if it still runs: before its input ends, which it would take for the whole."""
        if self._process.poll() is None:
            self.terminate()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        self.end_input()
        if self._process.stdout:
            self._process.stdout.close()
        self._said.close()


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe
