"""Places by fsspec, in a fresh environment: python filesystem.py, in an empty directory."""

from __future__ import annotations

import os
import pathlib
import unittest

import fsspec  # type: ignore[import-untyped,import-not-found,unused-ignore]


class FileSystem(unittest.TestCase):
    def setUp(self) -> None:
        # By its name alone: the package has registered it.
        self.fs = fsspec.filesystem("omnistorage")
        self.at = self.id()
        for name, text in [("a.txt", "hello\nworld\n"), ("b.csv", "n\n1\n"), ("deep/er/c.txt", "c")]:
            path = pathlib.Path(self.at, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def below(self, *names: str) -> list[str]:
        return [f"{self.at}/{name}" for name in names]

    def test_what_is_written_by_a_url_is_read_by_it(self) -> None:
        for compression in [None, "gzip"]:
            url = f"omnistorage://{self.at}/new/{compression}.txt"
            with fsspec.open(url, "w", compression=compression) as file:
                file.write("Łódź\n" * 100_000)
            with fsspec.open(url, "r", compression=compression) as file:
                self.assertEqual(file.read(), "Łódź\n" * 100_000)
        with fsspec.open_files(f"omnistorage://{self.at}/many/*.txt", "w", num=2) as files:
            for file in files:
                file.write("x")
        with fsspec.open_files(f"omnistorage://{self.at}/many/*.txt") as files:
            self.assertEqual([file.read() for file in files], [b"x", b"x"])

    def test_it_is_listed_and_found(self) -> None:
        self.assertEqual(self.fs.ls(self.at, detail=False), self.below("a.txt", "b.csv", "deep"))
        kinds = {entry["name"]: (entry["type"], entry["size"]) for entry in self.fs.ls(f"omnistorage://{self.at}/")}
        self.assertEqual(kinds[f"{self.at}/a.txt"], ("file", 12))
        self.assertEqual(kinds[f"{self.at}/deep"][0], "directory")
        self.assertEqual(self.fs.ls(f"{self.at}/a.txt", detail=False), self.below("a.txt"))
        self.assertEqual(self.fs.glob(f"omnistorage://{self.at}/**/*.txt"), self.below("a.txt", "deep/er/c.txt"))
        self.assertEqual(self.fs.find(self.at), self.below("a.txt", "b.csv", "deep/er/c.txt"))
        self.assertEqual(self.fs.du(self.at), 17)
        self.assertTrue(self.fs.isdir(f"{self.at}/deep") and self.fs.isfile(f"{self.at}/a.txt"))
        self.assertFalse(self.fs.exists(f"{self.at}/none"))
        self.assertEqual(sorted(self.fs.get_mapper(f"{self.at}/deep")), ["er/c.txt"])

    def test_a_directory_that_holds_one_of_its_own_name_is_none(self) -> None:
        inner = pathlib.Path(self.at, "x", "x")
        inner.parent.mkdir()
        inner.write_text("1")
        self.assertEqual(self.fs.ls(f"{self.at}/x", detail=False), self.below("x/x"))
        self.assertEqual(self.fs.ls(f"{self.at}/x/x", detail=False), self.below("x/x"))

    def test_ranges_are_those_bytes(self) -> None:
        data = pathlib.Path(self.at, "a.txt").read_bytes()
        path = f"{self.at}/a.txt"
        for start, end in [(None, None), (0, 0), (2, 5), (6, None), (None, 4), (-6, None), (-6, -1), (None, -1), (3, 99), (9, 3)]:
            self.assertEqual(self.fs.cat_file(path, start, end), data[start:end], (start, end))
        with self.fs.open(path, "rb", block_size=5) as file:
            self.assertEqual((file.read(4), file.seek(-2, os.SEEK_END), file.read()), (b"hell", 10, b"d\n"))
            self.assertEqual((file.seek(0), file.read()), (0, data))

    def test_an_object_that_changes_is_an_error(self) -> None:
        path = f"{self.at}/large"
        self.fs.pipe_file(path, b"a" * 1000)
        with self.fs.open(path, "rb", block_size=10, cache_options={}) as file:
            self.assertEqual(file.read(5), b"aaaaa")
            self.fs.pipe_file(path, b"b" * 1000)
            file.seek(900)
            with self.assertRaisesRegex(OSError, "changed"):
                file.read(5)

    def test_files_come_and_go(self) -> None:
        pathlib.Path(self.at, "local").write_text("local")
        self.fs.put(f"{self.at}/local", f"omnistorage://{self.at}/put")
        self.assertEqual(self.fs.cat(f"{self.at}/put"), b"local")
        self.fs.get(f"{self.at}/put", f"{self.at}/got")
        self.assertEqual(pathlib.Path(self.at, "got").read_text(), "local")
        self.fs.get(f"{self.at}/deep", f"{self.at}/tree", recursive=True)
        self.assertEqual(pathlib.Path(self.at, "tree/er/c.txt").read_text(), "c")
        self.fs.cp(f"{self.at}/put", f"{self.at}/copy")
        self.fs.mv(f"{self.at}/copy", f"{self.at}/moved")
        self.assertEqual([self.fs.exists(f"{self.at}/{name}") for name in ["put", "copy", "moved"]], [True, False, True])
        self.fs.mkdir(f"{self.at}/made")
        self.fs.makedirs(f"{self.at}/made", exist_ok=True)
        with self.assertRaises(FileExistsError):
            self.fs.makedirs(f"{self.at}/made")
        self.fs.rmdir(f"{self.at}/made")
        self.fs.rm(self.below("put", "moved"))
        self.fs.rm(f"{self.at}/deep", recursive=True)
        self.assertFalse(os.path.exists(f"{self.at}/deep") or os.path.exists(f"{self.at}/put"))
        self.assertEqual(self.fs.modified(f"{self.at}/a.txt").timestamp() // 1, os.stat(f"{self.at}/a.txt").st_mtime // 1)

    def test_errors_are_those_of_files_and_nothing_is_half_there(self) -> None:
        for attempt in [self.fs.cat_file, self.fs.info, self.fs.ls, self.fs.open, self.fs.modified]:
            with self.assertRaises(FileNotFoundError):
                attempt(f"{self.at}/none")
        with self.assertRaises(OSError):
            self.fs.pipe_file(f"{self.at}/a.txt/below", b"x")
        for mode in ["ab", "r+b"]:
            with self.assertRaises(ValueError):
                self.fs.open(f"{self.at}/a.txt", mode)
        with self.assertRaises(KeyError), self.fs.open(f"{self.at}/a.txt", "wb") as file:
            file.write(b"x" * (1 << 20))
            raise KeyError
        with self.assertRaises(FileExistsError):
            self.fs.pipe_file(f"{self.at}/a.txt", b"x", mode="create")
        self.assertEqual(pathlib.Path(self.at, "a.txt").read_text(), "hello\nworld\n")

    def test_places_are_those_of_the_command_line(self) -> None:
        pathlib.Path("c.toml").write_text(f"[backends.nas]\nkind = 'file'\nroot = '{os.path.abspath(self.at)}'\n")
        configured = fsspec.filesystem("omnistorage", config="c.toml")
        self.assertEqual(configured.ls("nas:", detail=False), ["nas:a.txt", "nas:b.csv", "nas:deep"])
        with fsspec.open("omnistorage://nas:deep/er/c.txt", config="c.toml") as file:
            self.assertEqual(file.read(), b"c")
        for url, place in [("omnistorage://s3://bucket/k/", "s3://bucket/k"), ("omnistorage://s3://", "s3://"), ("/", "/")]:
            self.assertEqual(self.fs._strip_protocol(url), place)
        self.assertEqual(self.fs.unstrip_protocol("s3://bucket/k"), "omnistorage://s3://bucket/k")


if __name__ == "__main__":
    unittest.main()
