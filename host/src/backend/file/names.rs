//! The names in one directory, sorted and held compactly: a million of them take about 30 MB.

use std::os::fd::OwnedFd;

use rustix::{fs::FileType, io::Errno};

use super::{
    links::{Links, object_name},
    temporary,
};

/// The names in a directory, in byte order of the paths they begin.
///
/// A directory that the walk will enter comes twice: as `name`, and as `name/` where its contents belong. So `a`,
/// `a-b`, `a.txt`, `a/x` come in this order, although `a` is a directory.
#[derive(Debug, Default)]
pub(super) struct Names {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// The names of temporary files, which are not among the entries.
    pub(super) temporaries: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    len: u16,
}

impl Names {
    /// Reads all names of a directory that was opened for this.
    /// `leads_to_directory` is asked about links that are followed.
    pub(super) fn read(
        directory: &OwnedFd,
        recursive: bool,
        links: Links,
        leads_to_directory: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Errno> {
        let mut names = Self::default();
        for_each_entry(directory, |name, kind| {
            if kind != FileType::Directory && temporary::is_name(name) {
                names.temporaries.push(name.to_owned());
                return Ok(());
            }
            if kind == FileType::Symlink && links == Links::Keep {
                return names.push(&object_name(name), false);
            }
            let is_followed = kind == FileType::Symlink && links == Links::Follow;
            let is_directory = kind == FileType::Directory || (is_followed && leads_to_directory(name));
            names.push(name, recursive && is_directory)
        })?;
        names.sort();
        if links == Links::Keep {
            names.hide_twins();
        }
        Ok(names)
    }

    fn push(&mut self, name: &[u8], enter: bool) -> Result<(), Errno> {
        let start = u32::try_from(self.arena.len()).map_err(|_| Errno::OVERFLOW)?;
        let len = u16::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
        self.arena.extend_from_slice(name);
        self.entries.push(Entry { start, len });
        if enter {
            self.arena.push(b'/');
            self.entries.push(Entry { start, len: len.checked_add(1).ok_or(Errno::NAMETOOLONG)? });
        }
        Ok(())
    }

    /// A link hides a file that has the name of the link's object.
    fn hide_twins(&mut self) {
        let arena = &self.arena;
        self.entries.dedup_by(|one, other| key(arena, *one) == key(arena, *other));
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_unstable_by(|a, b| key(arena, *a).cmp(key(arena, *b)));
    }

    /// The name at a position; with a `/` at its end where the contents of the directory belong.
    pub(super) fn get(&self, position: usize) -> Option<&[u8]> {
        self.entries.get(position).map(|entry| key(&self.arena, *entry))
    }

    /// The first position whose paths, or some of them, come after `path`, which is relative to this directory.
    pub(super) fn position_after(&self, path: &[u8]) -> usize {
        let after = self.entries.partition_point(|entry| key(&self.arena, *entry) <= path);
        match after.checked_sub(1) {
            Some(before)
                if self.get(before).is_some_and(|key| key.ends_with(b"/") && path.starts_with(key)) =>
            {
                before
            }
            _ => after,
        }
    }

    /// The first position of which no path comes at or before `path`, which is relative to this directory.
    pub(super) fn end_at(&self, path: &[u8]) -> usize {
        self.entries.partition_point(|entry| key(&self.arena, *entry) <= path)
    }
}

fn key(arena: &[u8], entry: Entry) -> &[u8] {
    let start = entry.start as usize;
    arena.get(start..start + usize::from(entry.len)).unwrap_or_default()
}

/// Calls `each` with the name and the kind of every entry; `.` and `..` are none.
pub(super) fn for_each_entry(
    directory: &OwnedFd,
    mut each: impl FnMut(&[u8], FileType) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut each = |name: &std::ffi::CStr, kind| {
        if name == c"." || name == c".." {
            return Ok(());
        }
        let kind = if kind == FileType::Unknown { kind_of(directory, name)? } else { kind };
        each(name.to_bytes(), kind)
    };
    #[cfg(target_os = "linux")]
    {
        let mut buffer = Vec::with_capacity(32 * 1024);
        let mut entries = rustix::fs::RawDir::new(directory, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            each(entry.file_name(), entry.file_type())?;
        }
    }
    #[cfg(not(target_os = "linux"))]
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        each(entry.file_name(), entry.file_type())?;
    }
    Ok(())
}

/// For file systems that do not tell the kind with the name. What vanished meanwhile stays unknown.
fn kind_of(directory: &OwnedFd, name: &std::ffi::CStr) -> Result<FileType, Errno> {
    match rustix::fs::statat(directory, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => Ok(FileType::Unknown),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entries: &[&str]) -> Names {
        let mut names = Names::default();
        for entry in entries {
            names.push(entry.trim_end_matches('/').as_bytes(), entry.ends_with('/')).unwrap();
        }
        names.sort();
        names
    }

    fn all(names: &Names) -> Vec<&str> {
        (0..).map_while(|position| names.get(position)).map(|name| str::from_utf8(name).unwrap()).collect()
    }

    #[test]
    fn contents_stand_where_their_paths_belong() {
        let names = names(&["a.txt", "a/", "b", "a-b", "a0"]);
        assert_eq!(all(&names), ["a", "a-b", "a.txt", "a/", "a0", "b"]);
    }

    #[test]
    fn a_name_costs_its_bytes_and_eight_more() {
        let mut names = Names::default();
        for number in 0..100_000_u32 {
            // Multiplication by an odd number is a permutation: all orders come up.
            names.push(format!("{:08x}", number.wrapping_mul(0x9e37_79b1)).as_bytes(), false).unwrap();
        }
        names.sort();
        assert_eq!(names.arena.len(), 800_000);
        assert_eq!(size_of::<Entry>(), 8);
        assert_eq!(all(&names).len(), 100_000);
        assert!(all(&names).is_sorted());
    }

    #[test]
    fn positions_skip_what_came_before() {
        let names = names(&["a/", "a.txt", "b/", "c"]);
        assert_eq!(all(&names), ["a", "a.txt", "a/", "b", "b/", "c"]);
        for (after, position) in [
            ("", 0),
            ("a", 1),
            ("a-", 1),
            ("a.txt", 2),
            ("a/x/y", 2),
            ("a0", 3),
            ("b", 4),
            ("b/z", 4),
            ("b0", 5),
            ("c", 6),
            ("d", 6),
        ] {
            assert_eq!(names.position_after(after.as_bytes()), position, "{after}");
        }
    }
}
