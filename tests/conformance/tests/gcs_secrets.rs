//! No secret of the backend of Google Cloud Storage is seen, however much is logged, and by whom: ours, and what we
//! stand on.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use omnistorage::{
    Backend, Config, GcsBackend, Path,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::gcs::{ACCESS_TOKEN, Fault, Gcs, REFRESH_TOKEN};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::json;

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.clone(), "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

/// Everything that a backend does, and what it says of it and of itself.
async fn use_all(config: Config, told: &mut String) {
    *told += &format!("{config:?}");
    let backend = match GcsBackend::from_config(config) {
        Ok(backend) => backend,
        Err(error) => return *told += &format!("{error:?} {error}"),
    };
    let path = Path::parse("object").unwrap();
    let mut tell = |outcome: Result<String, omnistorage::Error>| match outcome {
        Ok(outcome) => *told += &outcome,
        Err(error) => *told += &format!("{error:?} {error}"),
    };
    for len in [10, 600_000] {
        let written = async {
            let mut upload = backend.write(&path, &WriteOptions::default()).await?;
            upload.push(vec![0; len].into()).await?;
            upload.commit().await
        };
        tell(written.await.map(|info| format!("{info:?}")));
    }
    let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
    tell(listing.next(10).await.map(|entries| format!("{entries:?}")));
    tell(backend.read_all(&path, &ReadOptions::default(), usize::MAX).await.map(|_| String::new()));
    tell(backend.set_modified(&path, omnistorage::Timestamp::now()).await.map(|()| String::new()));
    let copy =
        backend.copy_to(&path, &backend, &Path::parse("copy").unwrap(), &WriteOptions::default()).await;
    tell(copy.map(|info| format!("{info:?}")));
    tell(backend.purge(&Path::root()).await.map(|count| count.to_string()));
    *told += &format!("{backend:?}");
}

#[tokio::test]
async fn no_secret_is_seen() {
    let log = Log::default();
    log::set_logger(Box::leak(Box::new(log.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let store = Gcs::with_tokens();
    let base = store
        .config()
        .with("anonymous", "false")
        .with("token_endpoint", format!("{}/token", store.endpoint))
        .with("instance_metadata", "false")
        .with("part_size", "262144");
    let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
    let user = |refresh_token: &str| {
        json!({
            "type": "authorized_user", "client_id": "id", "client_secret": "canary-of-the-client",
            "refresh_token": refresh_token,
        })
    };
    let account = |key: &str| json!({"type": "service_account", "client_email": "tests@example.com", "private_key": key});
    let mut told = String::new();
    for (name, value) in [
        ("access_token", ACCESS_TOKEN.to_owned()),
        ("access_token", "canary-that-nobody-knows".to_owned()),
        ("credentials_json", user(REFRESH_TOKEN).to_string()),
        ("credentials_json", user("canary-that-was-withdrawn").to_string()),
        ("credentials_json", account(&key).to_string()),
        ("credentials_json", account("canary-that-is-no-key").to_string()),
        ("credentials_json", "canary-that-is-no-json".to_owned()),
    ] {
        use_all(base.clone().with(name, value.clone()), &mut told).await;
        store.order("/", 1, Fault::Status(500));
        store.order("PUT /upload", 2, Fault::LoseAnswer);
        use_all(base.clone().with(name, value.clone()), &mut told).await;
        store.clear_orders();
        // With a setting that is wrong, too.
        use_all(base.clone().with(name, value).with("part_size", "canary-in-a-number"), &mut told).await;
    }

    let seen = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned() + &told;
    for witness in ["omnistorage", "reqsign_google", "hyper"] {
        assert!(seen.contains(witness), "{witness} logged nothing: the test would see no secret either");
    }
    let key_line = key.lines().nth(2).unwrap();
    for secret in ["canary", ACCESS_TOKEN, REFRESH_TOKEN, "given-token", key_line] {
        let lines: Vec<_> = seen.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret} is seen: {lines:#?}");
    }
    // Who knows the address of a session may write.
    assert!(!seen.contains("upload_id"), "the address of an upload is seen");
}
