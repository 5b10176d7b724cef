//! Files without a name, which get one when they are whole (`O_TMPFILE`, see open(2)): nothing of them is left when
//! their writer dies, nobody else can see or sweep them, and for a new object it costs less than a name and a rename.

#[cfg(target_os = "linux")]
pub(super) use self::linux::Unnamed;
#[cfg(not(target_os = "linux"))]
pub(super) use self::other::Unnamed;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        os::fd::{AsRawFd, OwnedFd},
        sync::OnceLock,
    };

    use rustix::{
        fs::{AtFlags, CWD, Mode, OFlags},
        io::Errno,
    };

    /// Whether such files exist here, and how they get a name: found out with the first of them.
    #[derive(Debug, Default)]
    pub(in super::super) struct Unnamed(OnceLock<Option<Linking>>);

    /// How a file is named by its descriptor.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Linking {
        /// As it is, which needs Linux 6.10 or a privilege.
        Direct,
        /// By its path in `/proc`, which must be mounted.
        Proc,
    }

    impl Unnamed {
        /// None are to be had.
        #[cfg(test)]
        pub(in super::super) fn none() -> Self {
            Self(OnceLock::from(None))
        }

        /// A file to write in the file system of a directory, with permission bits from which the kernel takes the umask
        /// away; `None` where it has to have a name.
        pub(in super::super) fn create(&self, directory: &OwnedFd, mode: Mode) -> Option<OwnedFd> {
            if self.0.get() == Some(&None) {
                return None;
            }
            let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
            let file = rustix::fs::openat(directory, ".", flags, mode).ok()?;
            self.0.get_or_init(|| Linking::find(&file, directory)).map(|_| file)
        }

        /// Gives it a name that is not taken: `EEXIST` otherwise.
        pub(in super::super) fn link(
            &self,
            file: &OwnedFd,
            directory: &OwnedFd,
            name: &str,
        ) -> Result<(), Errno> {
            self.0.get().copied().flatten().ok_or(Errno::NOTSUP)?.link(file, directory, name)
        }
    }

    impl Linking {
        fn find(file: &OwnedFd, directory: &OwnedFd) -> Option<Self> {
            // The name `.` is always taken: whoever may link gets exactly that error.
            let works = |way: &Self| way.link(file, directory, ".") == Err(Errno::EXIST);
            [Self::Direct, Self::Proc].into_iter().find(works)
        }

        fn link(self, file: &OwnedFd, directory: &OwnedFd, name: &str) -> Result<(), Errno> {
            match self {
                Self::Direct => rustix::fs::linkat(file, "", directory, name, AtFlags::EMPTY_PATH),
                Self::Proc => {
                    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                    rustix::fs::linkat(CWD, path, directory, name, AtFlags::SYMLINK_FOLLOW)
                }
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use rustix::fs::fstat;

        use super::*;

        #[test]
        fn either_way_gives_a_name_that_is_free() {
            let scratch = tempfile::tempdir().unwrap();
            let directory = OwnedFd::from(std::fs::File::open(scratch.path()).unwrap());
            let unnamed = Unnamed::default();
            // Not every file system has them: then there is nothing to see.
            let Some(file) = unnamed.create(&directory, Mode::RUSR) else { return };
            assert_eq!(fstat(&file).unwrap().st_nlink, 0);
            std::fs::write(scratch.path().join("taken"), "").unwrap();
            let mut links = 0;
            for way in [Linking::Direct, Linking::Proc] {
                match way.link(&file, &directory, "taken") {
                    Err(Errno::EXIST) => {
                        way.link(&file, &directory, &format!("{way:?}")).unwrap();
                        links += 1;
                    }
                    refused => assert_eq!(refused, Err(Errno::NOENT)),
                }
            }
            assert!(links > 0);
            assert_eq!(fstat(&file).unwrap().st_nlink, links);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::os::fd::OwnedFd;

    use rustix::{fs::Mode, io::Errno};

    /// None are to be had.
    #[derive(Debug, Default)]
    pub(in super::super) struct Unnamed;

    impl Unnamed {
        #[cfg(test)]
        pub(in super::super) fn none() -> Self {
            Self
        }

        pub(in super::super) fn create(&self, _: &OwnedFd, _: Mode) -> Option<OwnedFd> {
            None
        }

        pub(in super::super) fn link(&self, _: &OwnedFd, _: &OwnedFd, _: &str) -> Result<(), Errno> {
            Err(Errno::NOTSUP)
        }
    }
}
