use super::*;

fn parse(text: &str) -> Result<PlaceKind, String> {
    Place::parse(text.as_ref()).map(|place| place.kind)
}

fn is_local(text: &str, path: &str) {
    let directory = path.ends_with('/');
    assert_eq!(parse(text), Ok(PlaceKind::Local { path: path.into(), directory }), "{text}");
}

#[test]
fn paths_are_those_of_the_system() {
    for path in [
        "a",
        "./a",
        "../a/../b",
        "/abs",
        "a/b:c",
        "./a:b",
        "./a b:c",
        "./:s3:b",
        "dir/",
        "/",
        "%20",
        "a?b",
        "s3",
        "s3/b",
        "dir//file",
        "//host/share",
        "./s3//b",
        "./~/x",
        "a/~",
        "~$a.docx",
        "~backup",
        "$a/b",
    ] {
        is_local(path, path);
    }
}

#[test]
fn what_looks_like_something_else_is_refused_with_what_to_write() {
    for (typed, hint) in [
        (":s3:bkt/key", "`s3://bkt/key`"),
        (":gcs:bkt", "`gs://bkt`"),
        (":azureblob:c/key", "`az://c/key`"),
        ("az:c/key", "`az://c/key`"),
        ("azure://c/key", "`az://c/key`"),
        ("az://c/k?account=x", "`az://c?account=x/...`"),
        (":local:/srv", "`/srv`"),
        (":s3,region=x:bkt", "configuration file"),
        (":", "./:"),
        ("s3:bkt/key", "`s3://bkt/key`"),
        ("s3:/bkt", "`s3://bkt`"),
        ("s3:", "`s3://bucket/key`"),
        ("gs:bkt", "`gs://bkt`"),
        ("gcs://bkt", "`gs://bkt`"),
        ("S3://bkt", "no S3://"),
        ("s3//bkt/key", "`s3://bkt/key`"),
        ("gs//bkt", "`./gs/bkt`"),
        ("https//host/x", "`https://host/x`"),
        ("foo://x", "no foo://"),
        ("git+ssh://host/x", "no git+ssh://"),
        ("my remote:x", "`./my remote:...`"),
        ("me@host:x", "`./me@host:...`"),
        ("me@host:x", "`sftp://me@host/~/x`"),
        ("me@host:/x", "`sftp://me@host/x`"),
        ("sftp:host/x", "`sftp://host/x`"),
        ("sftp//host/x", "`sftp://host/x`"),
        ("scp://host/x", "`sftp://host/x`"),
        (":sftp,host=h:x", "configuration file"),
        ("é:x", "`./é:...`"),
        ("~/x", "$HOME"),
        ("~", "$HOME"),
        ("~me/x", "`./~me/x`"),
    ] {
        let refused = parse(typed).unwrap_err();
        assert!(refused.contains(hint), "{typed}: {refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf_8_is_a_path_unless_it_looks_like_a_backend() {
    use std::os::unix::ffi::OsStrExt;
    let parse = |bytes: &[u8]| Place::parse(OsStr::from_bytes(bytes)).map(|place| place.kind);
    let path = OsStr::from_bytes(b"d/\xff:x");
    assert_eq!(parse(b"d/\xff:x"), Ok(PlaceKind::Local { path: path.into(), directory: false }));
    assert!(parse(b"\xff:x").is_err());
}

#[test]
fn file_urls_are_decoded() {
    is_local("file:///a/b", "/a/b");
    is_local("file://localhost/a/", "/a/");
    is_local("file:///a%20b/%25/%F0%9F%98%80", "/a b/%/😀");
    for text in [
        "file://host/a",
        "file:a",
        "file:/a",
        "file:///a/../b",
        "file:///a/%2e%2E/b",
        "file:///a/./b",
        "file:///100%",
        "file:///%4",
        "file:///%+1",
        "file:///%é",
        "file:///a%2Fb",
        "file:///a%00b",
        "file:///a?b",
        "file:///a#b",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_bucket_is_a_url() {
    for (scheme, kind) in [("s3", "s3"), ("gs", "gcs"), ("az", "azblob")] {
        let at = |path| PlaceKind::Bucket {
            kind,
            bucket: "b".into(),
            settings: Settings::default(),
            path: Path::parse(path).unwrap(),
        };
        for (typed, path) in [("b", ""), ("b/", ""), ("b/a%20b/c?d#e/", "a%20b/c?d#e")] {
            assert_eq!(parse(&format!("{scheme}://{typed}")), Ok(at(path)));
        }
    }
}

#[test]
fn a_server_is_a_url() {
    for (typed, at, path) in [
        ("webdavs://h/a%20b/c%3Fd/", "https://h", "a b/c?d"),
        ("webdav://127.0.0.1:80", "http://127.0.0.1:80", ""),
        ("webdavs://[::1]:80/", "https://[::1]:80", ""),
    ] {
        let (endpoint, path) = (at.to_owned(), Path::parse(path).unwrap());
        let settings = Settings::default();
        assert_eq!(parse(typed), Ok(PlaceKind::Server { kind: WEBDAV, endpoint, settings, path }));
    }
    let (endpoint, path) = ("https://h".to_owned(), Path::parse("a+b/c d").unwrap());
    let settings = Settings::default();
    assert_eq!(parse("https://h/a+b/c%20d/"), Ok(PlaceKind::Server { kind: HTTP, endpoint, settings, path }));
    for (typed, hint) in [
        ("webdavs://", "no host"),
        ("webdavs:///x", "no host"),
        ("webdavs://me:hush@h/x", "OMNISTORAGE_WEBDAV_PASSWORD"),
        ("webdavs://h/x?y", "%3F"),
        ("webdavs://h/../x", "`..`"),
        ("webdavs://h/a//b", "path"),
        ("webdavs://h/%FF", "UTF-8"),
        ("webdavs:h/x", "`webdavs://h/x`"),
        ("https:h/x", "`https://h/x`"),
        ("https://me:hush@h/x", "everybody"),
    ] {
        let refused = parse(typed).unwrap_err();
        assert!(refused.contains(hint) && !refused.contains("hush"), "{typed}: {refused}");
    }
}

#[test]
fn settings_stand_behind_the_bucket() {
    let refused = parse("s3://b/k?region=x&anonymous=true").unwrap_err();
    assert!(refused.contains("`s3://b?region=x&anonymous=true/...`"), "{refused}");
    let Ok(PlaceKind::Bucket { settings, path, .. }) = parse("gs://b?anonymous=true/k?x=y") else { panic!() };
    assert_eq!((settings.identity().as_str(), path.as_str()), ("?anonymous=true", "k?x=y"));
}

#[test]
fn a_name_and_a_colon_are_a_backend() {
    let path = |text| Path::parse(text).unwrap();
    assert_eq!(parse("memory:"), Ok(PlaceKind::Memory(Path::root())));
    assert_eq!(
        parse("s3://"),
        Ok(PlaceKind::Buckets { kind: "s3", settings: Settings::default(), path: Path::root() })
    );
    assert!(matches!(parse("gs://"), Ok(PlaceKind::Buckets { kind: "gcs", .. })));
    assert_eq!(parse("memory:a/b/"), Ok(PlaceKind::Memory(path("a/b"))));
    assert_eq!(parse("nas:x:y"), Ok(PlaceKind::Configured { name: "nas".into(), path: path("x:y") }));
    for text in
        ["memory:../a", "memory:/a", "nas:a//b", "nas:a/./b", "nas://a", "s3:b", "s3://b//k", "gs:b", "", "-"]
    {
        assert!(parse(text).is_err(), "{text}");
    }
}
