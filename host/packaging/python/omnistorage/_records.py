"""Records of NDJSON, JSON arrays, CSV and length-prefixed files, compressed or not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Union

from ._process import Option, Place, Process

_CHUNK = 1 << 18


@dataclass(frozen=True)
class Converted:
    """What was converted. Bytes are those in the objects, compressed if they are."""

    records: int
    bytes_read: int
    bytes_written: int


def _feed(source: IO[bytes], process: Process, failed: list[BaseException]) -> None:
    """Hands a file on, in a thread of its own. What the source raises ends the process."""
    try:
        while chunk := source.read(_CHUNK):
            process.stdin.write(chunk)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it reads no further: its exit code tells why
    except BaseException as error:
        failed.append(error)
        process.terminate()


def read_records(source: Union[Place, IO[bytes]], **options: Option) -> Iterator[Any]:
    """The records of an object or of a binary file, one after the other, as `json.loads` gives them.

    The name tells format and codec, or `from_` does, as in `from_="csv.zst"`, which a file without a name needs. Rows of CSV
    are dicts of strings, unless `infer=True`. Other options are those of `omnistorage records convert`.

    Raises an `Error` with the number of the first record that is damaged, once those before it were read.
    """
    is_place = isinstance(source, str) or hasattr(source, "__fspath__")
    place: Any = source if is_place else "-"
    process = Process(["records", "convert", "--quiet", "--to=ndjson"], options, [place, "-"], reads=True, writes=not is_place)
    failed: list[BaseException] = []
    feeder = threading.Thread(target=_feed, args=(source, process, failed), daemon=True)
    if not is_place:
        feeder.start()
    try:
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # it failed within a record: its exit code tells why
            yield json.loads(line)
        if not is_place:
            feeder.join()
        if failed:
            raise failed[0]
        process.wait()
    finally:
        process.abandon()


def write_records(records: Iterable[Any], target: Place, **options: Option) -> Converted:
    """Writes records, which are whatever `json.dumps` takes, to an object: whole, or not at all if anything is raised.

    The name tells format and codec, or `to` does. Other options are those of `omnistorage records convert`: `level=19`,
    `columns="id,city"`.
    """
    process = Process(["records", "convert", "--json", "--from=ndjson"], options, ["-", target], reads=True, writes=True)
    try:
        try:
            for record in records:
                process.stdin.write(json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        except BrokenPipeError:
            pass  # it reads no further: its exit code tells why
        return _finished(process)
    finally:
        process.abandon()


def convert_records(source: Place, target: Place, **options: Option) -> Converted:
    """Converts the records of one object to another. Options of `omnistorage records convert`, with `from_` for `--from`."""
    process = Process(["records", "convert", "--json"], options, [source, target], reads=True)
    try:
        return _finished(process)
    finally:
        process.abandon()


def _finished(process: Process) -> Converted:
    process.end_input()
    told = process.stdout.read()
    process.wait()
    return Converted(**json.loads(told))
