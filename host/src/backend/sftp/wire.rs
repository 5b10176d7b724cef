//! The messages of version 3 of the protocol (draft-ietf-secsh-filexfer-02), as bytes.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    attributes::Attributes,
    cursor::{Cursor, Malformed},
};

/// The version that is spoken here, and everywhere.
pub(super) const VERSION: u32 = 3;
/// The longest message that is taken: that of OpenSSH, which no server exceeds.
pub(super) const MAX_MESSAGE: usize = 256 * 1024;

/// How to open a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opening {
    Read,
    /// To write what is not there yet.
    Create,
}

/// What a server is asked for.
#[derive(Debug)]
pub(super) struct Request {
    kind: u8,
    fields: BytesMut,
    /// What follows the fields, with its length before it.
    payload: Option<Bytes>,
}

impl Request {
    fn new(kind: u8) -> Self {
        Self { kind, fields: BytesMut::with_capacity(64), payload: None }
    }

    fn string(mut self, text: &[u8]) -> Self {
        // A path or a handle: far below 4 GiB.
        self.fields.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.fields.extend_from_slice(text);
        self
    }

    fn attributes(mut self, attributes: &Attributes) -> Self {
        attributes.write(&mut self.fields);
        self
    }

    pub(super) fn open(path: &[u8], opening: Opening, attributes: &Attributes) -> Self {
        let mut request = Self::new(3).string(path);
        request.fields.put_u32(match opening {
            Opening::Read => 0x01,
            Opening::Create => 0x02 | 0x08 | 0x20, // write, create, exclusively
        });
        request.attributes(attributes)
    }

    pub(super) fn close(handle: &[u8]) -> Self {
        Self::new(4).string(handle)
    }

    pub(super) fn read(handle: &[u8], offset: u64, len: u32) -> Self {
        let mut request = Self::new(5).string(handle);
        request.fields.put_u64(offset);
        request.fields.put_u32(len);
        request
    }

    pub(super) fn write(handle: &[u8], offset: u64, bytes: Bytes) -> Self {
        let mut request = Self::new(6).string(handle);
        request.fields.put_u64(offset);
        request.payload = Some(bytes);
        request
    }

    /// What stands at a path, be it a link.
    pub(super) fn lstat(path: &[u8]) -> Self {
        Self::new(7).string(path)
    }

    pub(super) fn fstat(handle: &[u8]) -> Self {
        Self::new(8).string(handle)
    }

    pub(super) fn setstat(path: &[u8], attributes: &Attributes) -> Self {
        Self::new(9).string(path).attributes(attributes)
    }

    pub(super) fn fsetstat(handle: &[u8], attributes: &Attributes) -> Self {
        Self::new(10).string(handle).attributes(attributes)
    }

    pub(super) fn opendir(path: &[u8]) -> Self {
        Self::new(11).string(path)
    }

    pub(super) fn readdir(handle: &[u8]) -> Self {
        Self::new(12).string(handle)
    }

    pub(super) fn remove(path: &[u8]) -> Self {
        Self::new(13).string(path)
    }

    pub(super) fn mkdir(path: &[u8]) -> Self {
        Self::new(14).string(path).attributes(&Attributes::NONE)
    }

    pub(super) fn rmdir(path: &[u8]) -> Self {
        Self::new(15).string(path)
    }

    /// What stands at a path, or where the link there leads.
    pub(super) fn stat(path: &[u8]) -> Self {
        Self::new(17).string(path)
    }

    pub(super) fn rename(from: &[u8], to: &[u8]) -> Self {
        Self::new(18).string(from).string(to)
    }

    /// What only some servers do.
    pub(super) fn extended(extension: Extension) -> Self {
        Self::new(200).string(extension.name().as_bytes())
    }

    /// The same about a path or a handle.
    pub(super) fn extended_of(extension: Extension, of: &[u8]) -> Self {
        Self::extended(extension).string(of)
    }

    pub(super) fn posix_rename(from: &[u8], to: &[u8]) -> Self {
        Self::extended_of(Extension::PosixRename, from).string(to)
    }

    pub(super) fn lsetstat(path: &[u8], attributes: &Attributes) -> Self {
        Self::extended_of(Extension::LSetStat, path).attributes(attributes)
    }

    /// As it is sent: what comes first, and the rest.
    pub(super) fn into_frame(self, id: u32) -> Frame {
        let Self { kind, fields, payload } = self;
        let behind = payload.as_ref().map_or(0, |payload| 4 + payload.len());
        let mut head = BytesMut::with_capacity(13 + fields.len());
        head.put_u32(u32::try_from(5 + fields.len() + behind).unwrap_or(u32::MAX));
        head.put_u8(kind);
        head.put_u32(id);
        head.extend_from_slice(&fields);
        if let Some(payload) = &payload {
            head.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        }
        Frame { head: head.freeze(), payload: payload.unwrap_or_default() }
    }
}

/// A message on its way to the server.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) head: Bytes,
    pub(super) payload: Bytes,
}

impl Frame {
    /// The first one of a session.
    pub(super) fn hello() -> Self {
        let mut head = BytesMut::with_capacity(9);
        head.put_u32(5);
        head.put_u8(1);
        head.put_u32(VERSION);
        Self { head: head.freeze(), payload: Bytes::new() }
    }
}

/// What OpenSSH added to the protocol, as far as it is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    /// A rename that replaces what has the new name.
    PosixRename,
    /// Waits until the bytes of a file are on the disk.
    Fsync,
    /// How large what a server takes may be.
    Limits,
    /// Sets attributes, of a link itself if there is one.
    LSetStat,
    /// How full a file system is, and which.
    StatVfs,
}

impl Extension {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PosixRename => "posix-rename@openssh.com",
            Self::Fsync => "fsync@openssh.com",
            Self::Limits => "limits@openssh.com",
            Self::LSetStat => "lsetstat@openssh.com",
            Self::StatVfs => "statvfs@openssh.com",
        }
    }

    /// The version of it that is meant here.
    pub(super) const fn version(self) -> &'static [u8] {
        match self {
            Self::StatVfs => b"2",
            _ => b"1",
        }
    }
}

/// The first message of a server.
#[derive(Debug, Default)]
pub(super) struct Hello {
    pub(super) version: u32,
    /// By their names, with their versions.
    extensions: BTreeMap<Bytes, Bytes>,
}

impl Hello {
    pub(super) fn read(message: Bytes) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(message);
        if cursor.u8()? != 2 {
            return Err(Malformed("another message before the version"));
        }
        let mut hello = Self { version: cursor.u32()?, extensions: BTreeMap::new() };
        while !cursor.rest().is_empty() {
            let name = cursor.string()?;
            hello.extensions.insert(name, cursor.string()?);
        }
        Ok(hello)
    }

    pub(super) fn has(&self, extension: Extension) -> bool {
        self.extensions.get(extension.name().as_bytes()).is_some_and(|version| version == extension.version())
    }
}

/// What a server answers.
#[derive(Debug)]
pub(super) enum Answer {
    Status(Status),
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<Named>),
    Attributes(Attributes),
    Extended(Bytes),
}

/// How a request ended.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) code: u32,
    /// In the server's words, which may be any bytes.
    pub(super) message: Bytes,
}

impl Status {
    pub(super) const OK: u32 = 0;
    pub(super) const EOF: u32 = 1;
    pub(super) const NO_SUCH_FILE: u32 = 2;
    pub(super) const PERMISSION_DENIED: u32 = 3;
    pub(super) const BAD_MESSAGE: u32 = 5;
    pub(super) const OP_UNSUPPORTED: u32 = 8;
}

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Bytes,
    pub(super) attributes: Attributes,
}

impl Answer {
    /// Which request it answers, and the answer.
    pub(super) fn read(message: Bytes) -> Result<(u32, Self), Malformed> {
        let mut cursor = Cursor::new(message);
        let kind = cursor.u8()?;
        let id = cursor.u32()?;
        let answer = match kind {
            101 => {
                let code = cursor.u32()?;
                // Old servers leave it out.
                let message = if cursor.rest().is_empty() { Bytes::new() } else { cursor.string()? };
                Self::Status(Status { code, message })
            }
            102 => Self::Handle(cursor.string()?),
            103 => Self::Data(cursor.string()?),
            104 => {
                // Not as many as it says, but as many as there are.
                let mut names = Vec::new();
                for _ in 0..cursor.u32()? {
                    let name = cursor.string()?;
                    cursor.string()?; // the line that `ls -l` would show
                    names.push(Named { name, attributes: Attributes::read(&mut cursor)? });
                }
                Self::Names(names)
            }
            105 => Self::Attributes(Attributes::read(&mut cursor)?),
            201 => Self::Extended(cursor.rest().clone()),
            _ => return Err(Malformed("an answer of an unknown kind")),
        };
        Ok((id, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_framed() {
        let frame = Request::write(b"h", 5, Bytes::from_static(b"abc")).into_frame(7);
        let whole = [frame.head, frame.payload].concat();
        let expected = [
            &[0, 0, 0, 25, 6, 0, 0, 0, 7, 0, 0, 0, 1, b'h'][..],
            &[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3],
            b"abc",
        ];
        assert_eq!(whole, expected.concat());
        let frame = Request::rename(b"a", b"bc").into_frame(1);
        assert_eq!(&*frame.head, b"\0\0\0\x10\x12\0\0\0\x01\0\0\0\x01a\0\0\0\x02bc");
    }

    #[test]
    fn an_answer_cut_anywhere_is_refused() {
        let names = b"\x68\0\0\0\x09\0\0\0\x01\0\0\0\x01a\0\0\0\x01l\0\0\0\x01\0\0\0\0\0\0\0\x05";
        let (id, answer) = Answer::read(Bytes::from_static(names)).unwrap();
        let Answer::Names(found) = answer else { panic!("{answer:?}") };
        assert_eq!((id, found.len(), &*found[0].name, found[0].attributes.size), (9, 1, &b"a"[..], Some(5)));
        for cut in 0..names.len() {
            assert!(Answer::read(Bytes::from_static(&names[..cut])).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_an_answer_claims_to_hold_takes_no_memory() {
        for hostile in [
            &b"\x68\0\0\0\x01\xff\xff\xff\xff"[..],
            b"\x67\0\0\0\x01\xff\xff\xff\xff",
            b"\x66\0\0\0\x01\x7f\xff\xff\xff",
            b"\x69\0\0\0\x01\x80\0\0\0\xff\xff\xff\xff",
            b"\xff\0\0\0\x01",
            b"",
        ] {
            assert!(Answer::read(Bytes::from_static(hostile)).is_err(), "{hostile:?}");
        }
        // Without the words.
        assert!(Answer::read(Bytes::from_static(b"\x65\0\0\0\x01\0\0\0\x04")).is_ok());
    }

    #[test]
    fn an_extension_counts_in_the_version_that_is_known() {
        let hello = |version: &[u8]| {
            let mut message = BytesMut::from(&b"\x02\0\0\0\x03"[..]);
            for text in [&b"posix-rename@openssh.com"[..], version] {
                message.put_u32(text.len() as u32);
                message.extend_from_slice(text);
            }
            Hello::read(message.freeze()).unwrap()
        };
        assert!(hello(b"1").has(Extension::PosixRename));
        assert!(!hello(b"2").has(Extension::PosixRename));
        assert!(!hello(b"1").has(Extension::Fsync));
    }
}
