"""Compressed objects as files: what is read is decompressed, what is written is compressed."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Literal

from ._process import Option, Place, Process

Codec = Literal["gzip", "zstd", "snappy", "lz4"]


class _Reader(io.RawIOBase):
    """Ends only once the process has ended well, so that a cut object is an error and no short file."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._is_over:
            return 0
        data = self._process.stdout.read(len(buffer))
        if not data:
            self._is_over = True
            self._process.wait()
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and not self._is_over:
            self._is_over = True
            self._process.abandon()
        super().close()


class Writer(io.BufferedIOBase):
    """Writes an object: whole once `close` returns, or not at all, as when a `with` block is left by an exception."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.closed:
            raise ValueError("write to a closed file")
        try:
            self._process.stdin.write(data)
        except BrokenPipeError:
            super().close()
            self._process.wait()
            raise
        return memoryview(data).nbytes

    def abandon(self) -> None:
        """Writes nothing after all."""
        if not self.closed:
            super().close()
            self._process.abandon()

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._process.wait()

    def __del__(self) -> None:
        # Whoever forgot it did not say that it is whole.
        self.abandon()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def open_decompressed(place: Place, **options: Option) -> io.BufferedReader:
    """Opens an object to be read, decompressed if its first bytes show a codec. Options of `omnistorage cat`.

    Reading raises an `Error` for an object that is not there, and at its end for one that is damaged.
    """
    process = Process(["cat", "--quiet", "--decompress"], options, [place], reads=True)
    return io.BufferedReader(_Reader(process), buffer_size=1 << 16)


def open_compressed(place: Place, codec: Codec, level: int | None = None, **options: Option) -> Writer:
    """Opens an object to be written, compressed by the codec. Options of `omnistorage put`.

    `level` is the codec's own: gzip 0 to 9, zstd -131072 to 22, the others have none. Writing and closing raise an `Error`.
    """
    compress = codec if level is None else f"{codec}:{level}"
    return Writer(Process(["put", "--quiet", f"--compress={compress}"], options, [place], writes=True))
