//! The data that is moved: made once, of bytes that do not compress, and kept for the next run.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A tree of equal files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataSet {
    /// Directories below the root.
    pub(crate) folders: usize,
    /// Files in each of them.
    pub(crate) files: usize,
    /// Bytes of each file; a multiple of 8.
    pub(crate) size: usize,
}

impl DataSet {
    /// Files in all.
    pub(crate) fn count(&self) -> usize {
        self.folders * self.files
    }

    /// For people: `10,000 x 4 KiB`.
    pub(crate) fn describe(&self) -> String {
        let count = self.count();
        let count =
            if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) };
        match self.size >> 20 {
            0 => format!("{count} x {} KiB", self.size >> 10),
            mebibytes => format!("{count} x {mebibytes} MiB"),
        }
    }

    /// Where the tree is below `root`; makes it if it is not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn prepare(&self, root: &Path) -> Result<PathBuf> {
        let name = format!("{}x{}x{}", self.folders, self.files, self.size);
        let (path, partial) = (root.join(&name), root.join(name + ".part"));
        if !path.exists() {
            if partial.exists() {
                fs::remove_dir_all(&partial)?;
            }
            self.write(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
            // Only a complete tree gets the name that the next run looks for.
            fs::rename(&partial, &path)?;
        }
        Ok(path)
    }

    fn write(&self, root: &Path) -> Result<()> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for folder in 0..self.folders {
            let folder = root.join(format!("folder-{folder:04}"));
            fs::create_dir_all(&folder)?;
            for file in 0..self.files {
                let mut file = BufWriter::new(File::create(folder.join(format!("file-{file:04}.bin")))?);
                for _ in 0..self.size / 8 {
                    file.write_all(&random.next().to_le_bytes())?;
                }
                file.flush()?;
            }
        }
        Ok(())
    }
}

/// xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_tree_once() -> Result<()> {
        let root = tempfile::tempdir()?;
        let set = DataSet { folders: 2, files: 3, size: 1 << 10 };
        assert_eq!(set.describe(), "6 x 1 KiB");
        let path = set.prepare(root.path())?;
        let sizes: Vec<u64> = fs::read_dir(path.join("folder-0001"))?
            .map(|file| Ok(file?.metadata()?.len()))
            .collect::<Result<_>>()?;
        assert_eq!(sizes, [1 << 10; 3]);

        fs::write(path.join("kept"), "")?;
        assert!(set.prepare(root.path())?.join("kept").exists());
        Ok(())
    }

    #[test]
    fn describes_large_counts() {
        assert_eq!(DataSet { folders: 100, files: 100, size: 4 << 10 }.describe(), "10,000 x 4 KiB");
        assert_eq!(DataSet { folders: 1, files: 10, size: 100 << 20 }.describe(), "10 x 100 MiB");
    }
}
