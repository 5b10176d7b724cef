//! The services of OpenDAL keep their promises: WebDAV, as rclone serves it.

use std::sync::Arc;

use omnistorage::{Backend, OpendalBackend, Path};

#[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
async fn webdav() -> (Arc<dyn Backend>, ()) {
    let backend = OpendalBackend::webdav(omnistorage_test_servers::webdav().config()).unwrap();
    backend.mkdir(&Path::root()).await.unwrap();
    (Arc::new(backend), ())
}

omnistorage_conformance::conformance_tests!(webdav);

#[allow(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]
#[path = "webdav/writes.rs"]
mod writes;

/// What else is to be said of these services.
mod service {
    use omnistorage::{
        Backend, Config, ErrorCode, OpendalBackend, Path, Registry,
        backend::{Allowance, ListOptions, ReadOptions, WriteOptions},
    };
    use omnistorage_test_servers::{Canned, Fault, Proxy};

    fn config() -> Config {
        omnistorage_test_servers::webdav().config()
    }

    #[allow(clippy::unwrap_used, reason = "the paths of these tests are written here")]
    fn path(path: &str) -> Path {
        Path::parse(path).unwrap()
    }

    #[test]
    fn settings_are_checked() {
        for (config, named) in [
            (Config::new(), "`service`"),
            (Config::from([("service", "gopher")]), "`gopher`"),
            (Config::from([("service", "webdav")]), "endpoint"),
        ] {
            let error = Registry::with_builtin().open("opendal", config).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().contains(named), "{error}");
        }
        let exposed = Config::from([("endpoint", "http://nas.example"), ("password", "canary")]);
        for (config, named) in [
            (Config::new(), "`endpoint`"),
            (config().with("endpoint", "nas.example"), "https://"),
            (config().with("endpoint", "https://me:canary@nas.example"), "https://host"),
            (config().with("endpiont", "x"), "`endpiont`"),
            (config().with("timeout", "soon"), "`timeout`"),
            (exposed.clone(), "`allow_http = true`"),
        ] {
            let error = Registry::with_builtin().open("webdav", config).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().contains(named) && !error.message().contains("canary"), "{error}");
        }
        assert!(OpendalBackend::webdav(exposed.with("allow_http", "true")).is_ok());
        assert!(OpendalBackend::SERVICES.contains(&"webdav"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let config = config().with("username", "me").with("password", "canary");
        let backend = OpendalBackend::webdav(config.with("root", "/r/")).unwrap();
        let endpoint = &omnistorage_test_servers::webdav().endpoint;
        assert_eq!(format!("{backend:?}"), format!("OpendalBackend(\"webdav\", \"{endpoint}/r\")"));
    }

    #[tokio::test]
    async fn nobody_there_is_told() {
        let config = Config::from([("endpoint", "http://127.0.0.1:1")]);
        let backend = OpendalBackend::webdav(config).unwrap();
        let error = backend.stat(&path("a")).await.unwrap_err();
        assert_eq!((error.code(), error.is_given_up()), (ErrorCode::Unavailable, true), "{error}");
        assert_eq!(error.location(), Some(("opendal", "a")));
    }

    /// What is gathered in memory has a limit.
    #[tokio::test]
    async fn an_object_too_large_to_hold_is_refused() {
        let backend = OpendalBackend::webdav(config().with("max_object", "10")).unwrap();
        backend.write_all(&path("small"), "0123456789".into(), &WriteOptions::default()).await.unwrap();
        let error = backend.write_all(&path("large"), "0123456789a".into(), &WriteOptions::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), ErrorCode::LimitExceeded);
        assert!(error.message().contains("`max_object`"), "{error}");
        assert!(!backend.exists(&path("large")).await.unwrap());
    }

    /// What writes gather together has the limit of whoever asks for them.
    #[tokio::test]
    async fn what_is_gathered_is_of_an_allowance() {
        let backend = OpendalBackend::webdav(config()).unwrap();
        let options = WriteOptions { allowance: Allowance::new(1 << 20), ..WriteOptions::default() };
        let mut first = backend.write(&path("first"), &options).await.unwrap();
        first.push(vec![1; 600_000].into()).await.unwrap();
        let mut second = backend.write(&path("second"), &options).await.unwrap();
        let refused = second.push(vec![2; 600_000].into()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::LimitExceeded, "{refused}");
        second.abort().await;
        first.commit().await.unwrap();
        backend.write_all(&path("third"), vec![3; 600_000].into(), &options).await.unwrap();
        assert!(!backend.exists(&path("second")).await.unwrap());
    }

    /// A log-in page is no empty directory, and nothing is deleted or written by it.
    #[tokio::test]
    async fn another_answer_is_none_of_webdav() {
        let server = omnistorage_test_servers::webdav();
        let proxy = Proxy::before(&server.endpoint);
        let config = config();
        let straight = OpendalBackend::webdav(config.clone()).unwrap();
        let through = OpendalBackend::webdav(config.with("endpoint", &proxy.endpoint)).unwrap();
        straight.write_all(&path("dir/a"), "x".into(), &WriteOptions::default()).await.unwrap();
        proxy.plan(|_| {
            let page = Canned::status(200).header("content-type", "text/html; charset=utf-8");
            Some(Fault::Answer(page.body("<html><body>Please log in</body></html>")))
        });
        let mut listing = through.list(&Path::root(), &ListOptions::default()).await.unwrap();
        assert!(listing.next(10).await.is_err());
        assert!(through.stat(&path("dir/a")).await.is_err());
        assert!(through.delete(&[path("dir/a")]).await.remove(0).is_err());
        assert!(through.write_all(&path("b"), "x".into(), &WriteOptions::default()).await.is_err());
        assert!(straight.exists(&path("dir/a")).await.unwrap());
    }

    /// What a writer left that was killed between its requests.
    #[tokio::test]
    async fn what_is_left_of_a_write_is_hidden() {
        let config = config();
        let (backend, other) = (OpendalBackend::webdav(config.clone()), OpendalBackend::webdav(config));
        let (backend, other) = (backend.unwrap(), other.unwrap());
        for name in ["dir/.omnistorage-0123456789abcdef-0.tmp", "dir/.omnistorage-notes"] {
            other.write_all(&path(name), "x".into(), &WriteOptions::default()).await.unwrap();
        }
        let options = ListOptions { recursive: true, ..ListOptions::default() };
        let entries = backend.list(&Path::root(), &options).await.unwrap().next_entries(10).await.unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(names, ["dir", "dir/.omnistorage-notes"]);
        backend.delete(&[path("dir/.omnistorage-notes")]).await.remove(0).unwrap();
        backend.rmdir(&path("dir")).await.unwrap();
        assert!(backend.read(&path("dir"), &ReadOptions::default()).await.is_err());
    }
}
