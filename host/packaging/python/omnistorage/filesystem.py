"""Places as a file system of fsspec: what pandas, polars, dask and others read and write by URL.

`fsspec.open("omnistorage://s3://bucket/key")`: behind the `omnistorage://` stands a place, as on the command line. It needs
`fsspec`, which comes with `pip install omnistorage[fsspec]`. Each call runs the command once, so it is made for objects, not for
thousands of small reads.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
from collections.abc import Iterator
from typing import Any, Optional, Union

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem  # type: ignore[import-untyped,import-not-found,unused-ignore]

from ._compression import Writer
from ._errors import Error, NotFound
from ._process import Option, Process

_SCHEME = "omnistorage://"

_BLOCK = 16 << 20
"""How much of an object that is read in pieces is asked for at a time, in bytes."""


@contextlib.contextmanager
def _as_files() -> Iterator[None]:
    """Errors as those of files are called."""
    try:
        yield
    except NotFound as error:
        raise FileNotFoundError(str(error)) from error
    except Error as error:
        raise OSError(str(error)) from error


class _Object(AbstractBufferedFile):  # type: ignore[misc]
    """An object that is read in pieces of one and the same version."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        data: bytes = self.fs.cat_file(self.path, start, end)
        if self.fs.info(self.path) != self.details:
            raise OSError(f"{self.path}: it changed while it was read")
        return data


class _Written(Writer):
    """An object that is written, whose errors are those of files."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        with _as_files():
            return super().write(data)

    def close(self) -> None:
        with _as_files():
            super().close()


class OmnistorageFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Places as files. Options are those of every command: `OmnistorageFileSystem(config="backends.toml")`."""

    protocol = "omnistorage"
    root_marker = ""

    def __init__(self, *, config: Optional[str] = None, rclone_config: Optional[str] = None, **storage_options: Any) -> None:
        super().__init__(**storage_options)
        given: dict[str, Optional[Option]] = {"config": config, "rclone_config": rclone_config}
        self._options: dict[str, Option] = {name: value for name, value in given.items() if value is not None}

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        place = os.fspath(path)
        place = place[len(_SCHEME) :] if place.startswith(_SCHEME) else place
        bare: str = place.rstrip("/")
        # `/` and `s3://` end with slashes that mean something.
        return place if not bare or bare.endswith(":") else bare

    def unstrip_protocol(self, name: str) -> str:
        place: str = self._strip_protocol(name)
        return _SCHEME + place

    def _run(self, words: list[str], places: list[str], reads: bool = False) -> bytes:
        """The output of a command that ends well."""
        with _as_files():
            process = Process(words, self._options, places, reads=reads)
            try:
                output = process.stdout.read() if reads else b""
                process.wait()
            finally:
                process.abandon()
            return output

    @staticmethod
    def _entry(name: str, known: dict[str, Any]) -> dict[str, Any]:
        kinds = {"object": "file", "directory": "directory", "symlink": "link"}
        return {
            "name": name,
            "size": known["size"],
            "type": kinds.get(known["kind"], "other"),
            "mtime": known["modified"],
            "etag": known["etag"],
        }

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        path = self._strip_protocol(path)
        return self._entry(path, json.loads(self._run(["stat", "--json", "--quiet"], [path], reads=True)))

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        path = self._strip_protocol(path)
        lines = self._run(["ls", "--json", "--quiet"], [path], reads=True).splitlines()
        below = path if not path or path.endswith(("/", ":")) else f"{path}/"
        found = [json.loads(line) for line in lines]
        entries = [self._entry(below + known["path"], known) for known in found]
        # An object is listed by its own name, as one of that name in a directory of that name would be.
        if len(found) == 1 and found[0]["path"] == path.rpartition("/")[2] and self.info(path)["type"] == "file":
            entries = [self._entry(path, found[0])]
        return entries if detail else [entry["name"] for entry in entries]

    def cat_file(self, path: str, start: Optional[int] = None, end: Optional[int] = None, **_: Any) -> bytes:
        path = self._strip_protocol(path)
        if (end or 0) < 0 or ((start or 0) < 0 and end is not None):
            size = self.info(path)["size"]
            start, end = (at if at is None or at >= 0 else max(size + at, 0) for at in (start, end))
        words = ["cat", "--quiet"]
        if start:
            words.append(f"--offset={start}")
        if end is not None:
            words.append(f"--length={max(end - (start or 0), 0)}")
        return self._run(words, [path], reads=True)

    def _open(self, path: str, mode: str = "rb", block_size: Union[int, str, None] = None, cache_options: Any = None, **_: Any) -> io.IOBase:
        if mode == "rb":
            size = block_size if isinstance(block_size, int) else _BLOCK
            opened: io.IOBase = _Object(self, path, mode, size, cache_options=cache_options)
            return opened
        if mode == "wb":
            return self._create(path)
        raise ValueError(f"mode {mode!r}: an object is read (rb) or written as a whole (wb)")

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        path = self._strip_protocol(path)
        if mode == "create" and self.exists(path):
            raise FileExistsError(path)
        with self._create(path) as file:
            file.write(value)

    def _create(self, path: str) -> _Written:
        return _Written(Process(["put", "--quiet"], self._options, [path], writes=True))

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        if os.path.isdir(lpath):
            return self.makedirs(rpath, exist_ok=True)
        self._copy(os.path.abspath(lpath), self._strip_protocol(rpath))

    def get_file(self, rpath: str, lpath: str, **_: Any) -> None:
        rpath = self._strip_protocol(rpath)
        if self.isdir(rpath):
            return os.makedirs(lpath, exist_ok=True)
        self._copy(rpath, os.path.abspath(lpath))

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        if self.isdir(path1):
            return self.makedirs(path2, exist_ok=True)
        self._copy(path1, path2)

    def _copy(self, source: str, target: str) -> None:
        """Checked on its way, and within a store where that can."""
        self._run(["copyto", "--quiet", "--ignore-times"], [source, target])

    def rm(self, path: Any, recursive: bool = False, maxdepth: Optional[int] = None) -> None:
        if maxdepth is not None:
            raise ValueError("maxdepth: what is deleted is one object, or all below a directory")
        for place in [path] if isinstance(path, (str, os.PathLike)) else path:
            self._run(["rm", "--quiet", *(["--recursive"] if recursive else [])], [self._strip_protocol(place)])

    def _rm(self, path: str) -> None:
        self.rm(path)

    rm_file = _rm

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Makes a directory and those above it, or a bucket. One that is there is fine."""
        self._run(["mkdir", "--quiet"], [self._strip_protocol(path)])

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        if not exist_ok and self.exists(path):
            raise FileExistsError(path)
        try:
            self.mkdir(path)
        except OSError as error:
            # Where directories are only prefixes, there is nothing to make.
            if not isinstance(error.__cause__, Error) or error.__cause__.exit_code != 2:
                raise

    def rmdir(self, path: str) -> None:
        self._run(["rmdir", "--quiet"], [self._strip_protocol(path)])

    def modified(self, path: str) -> datetime.datetime:
        time: Optional[str] = self.info(path)["mtime"]
        if time is None:
            raise OSError(f"{path}: it has no time of its own")
        # Older Pythons know neither `Z` nor nanoseconds.
        seconds, _, fraction = time.rstrip("Z").partition(".")
        whole = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
        return whole + datetime.timedelta(microseconds=int((fraction + "000000")[:6]))

    def ukey(self, path: str) -> str:
        known = self.info(path)
        return str(known["etag"] or (known["size"], known["mtime"]))
