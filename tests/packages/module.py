"""The module `omnistorage`, as it is installed: python module.py, in an empty directory."""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import unittest
from collections.abc import Iterator
from typing import Any

import omnistorage

RECORDS = [{"id": n, "city": "Łódź"} for n in range(50_000)]


def packed(name: str = "packed.ndjson.gz") -> bytes:
    omnistorage.write_records(RECORDS, name)
    return pathlib.Path(name).read_bytes()


class Broken(io.RawIOBase):
    """A file whose disk is gone after a while."""

    def __init__(self) -> None:
        self.reads = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > 3:
            raise OSError("the disk is gone")
        return b'{"id":1}\n'


class Records(unittest.TestCase):
    def test_they_are_what_was_written(self) -> None:
        for name in ["a.ndjson", "a.ndjson.zst", "a.json.gz", "a.lp.lz4"]:
            self.assertEqual(omnistorage.write_records(RECORDS, name).records, len(RECORDS))
            self.assertEqual(list(omnistorage.read_records(pathlib.Path(name))), RECORDS, name)

    def test_rows_are_strings_unless_they_are_to_be_inferred(self) -> None:
        omnistorage.write_records(RECORDS[:2], "a.csv.sz")
        self.assertEqual(next(omnistorage.read_records("a.csv.sz")), {"id": "0", "city": "Łódź"})
        self.assertEqual(list(omnistorage.read_records("a.csv.sz", infer=True)), RECORDS[:2])

    def test_they_come_from_a_file_object(self) -> None:
        self.assertEqual(list(omnistorage.read_records(io.BytesIO(packed()), from_="ndjson.gz")), RECORDS)

    def test_whoever_stops_early_leaves_nothing_running(self) -> None:
        records = omnistorage.read_records(io.BytesIO(packed()), from_="ndjson.gz")
        self.assertEqual(next(records), RECORDS[0])
        del records

    def test_a_cut_file_is_an_error_at_its_end(self) -> None:
        cut = packed()[:-9]
        seen: list[Any] = []
        with self.assertRaisesRegex(omnistorage.Error, "cut off"):
            seen.extend(omnistorage.read_records(io.BytesIO(cut), from_="ndjson.gz"))
        self.assertEqual(seen, RECORDS[: len(seen)])

    def test_the_error_of_a_source_is_its_own(self) -> None:
        with self.assertRaisesRegex(OSError, "the disk is gone"):
            list(omnistorage.read_records(Broken(), from_="ndjson"))  # type: ignore[arg-type]

    def test_nothing_is_written_where_records_fail(self) -> None:
        def failing() -> Iterator[Any]:
            yield from RECORDS
            raise KeyError("no more")

        with self.assertRaises(KeyError):
            omnistorage.write_records(failing(), "never.ndjson")
        with self.assertRaises(ValueError):
            omnistorage.write_records([{"x": float("nan")}], "never.ndjson")
        with self.assertRaises(omnistorage.UsageError):
            omnistorage.write_records(RECORDS, "never.unknown")
        self.assertFalse([name for name in os.listdir() if name.startswith("never")])

    def test_a_conversion_tells_what_it_did(self) -> None:
        packed()
        done = omnistorage.convert_records("packed.ndjson.gz", "b.csv", columns="city,id")
        self.assertEqual(done.records, len(RECORDS))
        self.assertEqual(done.bytes_written, pathlib.Path("b.csv").stat().st_size)

    def test_what_is_not_there_is_not_found(self) -> None:
        with self.assertRaises(omnistorage.NotFound) as caught:
            list(omnistorage.read_records("nothing.ndjson"))
        self.assertEqual(caught.exception.exit_code, 4)


class Compression(unittest.TestCase):
    def test_it_is_read_as_it_was_written(self) -> None:
        codecs: list[omnistorage.Codec] = ["gzip", "zstd", "snappy", "lz4"]
        for codec in codecs:
            with omnistorage.open_compressed("c", codec) as file:
                file.write(b"one\n" * 100_000)
            with omnistorage.open_decompressed("c") as text:
                self.assertEqual(sum(1 for line in text if line == b"one\n"), 100_000)
        with omnistorage.open_compressed("c", "gzip", 9) as file:
            file.write(b"one")
        self.assertEqual(gzip.decompress(pathlib.Path("c").read_bytes()), b"one")

    def test_an_exception_leaves_the_target_as_it_was(self) -> None:
        pathlib.Path("kept").write_text("before")
        with self.assertRaises(KeyError), omnistorage.open_compressed("kept", "zstd") as file:
            file.write(os.urandom(1 << 20))
            raise KeyError
        forgotten = omnistorage.open_compressed("kept", "zstd")
        forgotten.write(b"x")
        del forgotten
        self.assertEqual(pathlib.Path("kept").read_text(), "before")

    def test_damage_is_an_error_and_no_short_file(self) -> None:
        pathlib.Path("cut.gz").write_bytes(packed()[:-9])
        with omnistorage.open_decompressed("cut.gz") as file:
            self.assertTrue(file.readline().startswith(b'{"id":'))
        with omnistorage.open_decompressed("cut.gz") as file, self.assertRaisesRegex(omnistorage.Error, "cut off"):
            file.read()

    def test_a_level_that_is_none_is_refused(self) -> None:
        with self.assertRaises(omnistorage.UsageError):
            omnistorage.open_compressed("never.gz", "gzip", 77).close()


class Transfers(unittest.TestCase):
    def setUp(self) -> None:
        for name in "abc":
            path = pathlib.Path(self.id(), "from", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        self.source, self.target = pathlib.Path(self.id(), "from"), pathlib.Path(self.id(), "to")

    def test_a_sync_makes_both_the_same(self) -> None:
        planned = omnistorage.sync(self.source, self.target, dry_run=True, exclude=["a", "b"])
        self.assertEqual((planned.dry_run, planned.transferred, self.target.exists()), (True, 1, False))
        self.assertEqual(omnistorage.sync(self.source, self.target).transferred, 3)
        self.assertTrue(omnistorage.check(self.source, self.target, checksum=True).is_same)
        (self.source / "a").unlink()
        self.assertEqual(omnistorage.check(self.source, self.target).missing_on_source, 1)
        self.assertFalse(omnistorage.check(self.source, self.target).is_same)
        self.assertEqual(omnistorage.sync(self.source, self.target).deleted, 1)

    def test_copy_deletes_nothing_and_move_empties_the_source(self) -> None:
        omnistorage.copy(self.source, self.target)
        (self.target / "more").write_text("more")
        self.assertEqual(omnistorage.copy(self.source, self.target).transferred, 0)
        self.assertEqual(omnistorage.move(self.source, self.target).sources_removed, 3)
        self.assertEqual(sorted(os.listdir(self.target)), ["a", "b", "c", "more"])

    def test_what_fails_is_told_by_its_exit_code(self) -> None:
        with self.assertRaises(omnistorage.NotFound):
            omnistorage.sync("nowhere", self.target)
        with self.assertRaises(omnistorage.UsageError):
            omnistorage.sync(self.source, self.target, no_such_option=True)
        omnistorage.copy(self.source, self.target)
        os.mkdir(self.id() + "/empty")
        with self.assertRaises(omnistorage.Refused) as refused:
            omnistorage.sync(self.id() + "/empty", self.target)
        self.assertEqual(refused.exception.exit_code, 7)
        with self.assertRaises(omnistorage.LimitReached) as limited:
            omnistorage.copy(self.source, self.id() + "/other", max_transfer="2b")
        report = limited.exception.report
        assert isinstance(report, omnistorage.SyncReport)
        self.assertEqual(report.transferred, 2)


if __name__ == "__main__":
    unittest.main()
