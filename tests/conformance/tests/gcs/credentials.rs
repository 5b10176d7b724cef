//! Credentials from all the places where they can be, each told in its own words if it is of no use.

use std::fs;

use omnistorage::{
    Backend, Config, ErrorCode, GcsBackend,
    backend::{ListOptions, WriteOptions},
};
use omnistorage_test_servers::gcs::{Gcs, REFRESH_TOKEN};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::{Value, json};

use crate::shorthand::{fails, list, pattern, put};

fn config(store: &Gcs) -> Config {
    // Nothing but what is given: tests ask no instance.
    store
        .config()
        .with("anonymous", "false")
        .with("token_endpoint", format!("{}/token", store.endpoint))
        .with("instance_metadata", "false")
}

fn user(refresh_token: &str) -> Value {
    json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "canary-of-the-tests",
        "refresh_token": refresh_token,
    })
}

fn service_account() -> Value {
    let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap();
    json!({
        "type": "service_account", "client_email": "tests@example.iam.gserviceaccount.com",
        "private_key": key.to_pkcs8_pem(LineEnding::LF).unwrap().as_str(),
    })
}

fn with_json(store: &Gcs, credentials: &Value) -> GcsBackend {
    GcsBackend::from_config(config(store).with("credentials_json", credentials.to_string())).unwrap()
}

/// How many tokens were asked for.
fn exchanges(store: &Gcs) -> usize {
    store.take_requests().iter().filter(|request| request.starts_with("POST /token")).count()
}

#[tokio::test]
async fn one_token_is_enough_for_many_requests() {
    let store = Gcs::with_tokens();
    for credentials in [user(REFRESH_TOKEN), service_account()] {
        let backend = with_json(&store, &credentials);
        for at in 0..5 {
            put(&backend, &format!("{at}"), &pattern(at), &WriteOptions::default()).await.unwrap();
        }
        assert_eq!(list(&backend, &ListOptions::default()).await.unwrap().len(), 5);
        assert_eq!(exchanges(&store), 1, "{}", credentials["type"]);
        assert_eq!(backend.purge(&omnistorage::Path::root()).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn a_file_is_as_good() {
    let store = Gcs::with_tokens();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.json");
    fs::write(&file, service_account().to_string()).unwrap();
    let config = config(&store).with("credentials", file.to_str().unwrap());
    let backend = GcsBackend::from_config(config.clone()).unwrap();
    list(&backend, &ListOptions::default()).await.unwrap();
    for (text, word) in [("{}", "no such file"), ("not json", "no such file")] {
        fs::write(&file, text).unwrap();
        let backend = GcsBackend::from_config(config.clone()).unwrap();
        fails(list(&backend, &ListOptions::default()).await, ErrorCode::InvalidArgument, word);
    }
    fs::remove_file(&file).unwrap();
    let backend = GcsBackend::from_config(config).unwrap();
    fails(list(&backend, &ListOptions::default()).await, ErrorCode::InvalidArgument, "missing");
}

#[tokio::test]
async fn another_identity_is_exchanged() {
    let store = Gcs::with_tokens();
    let directory = tempfile::tempdir().unwrap();
    let subject = directory.path().join("subject");
    let credentials = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/pools/tests",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/sts", store.endpoint),
        "credential_source": {"file": subject.to_str().unwrap(), "format": {"type": "text"}},
    });
    fs::write(&subject, "subject-of-the-tests").unwrap();
    list(&with_json(&store, &credentials), &ListOptions::default()).await.unwrap();
    fs::write(&subject, "somebody-else").unwrap();
    let refused = list(&with_json(&store, &credentials), &ListOptions::default()).await;
    fails(refused, ErrorCode::PermissionDenied, "refuses these credentials");
}

#[tokio::test]
async fn a_login_that_has_expired() {
    let store = Gcs::with_tokens();
    let backend = with_json(&store, &user("withdrawn"));
    let refused = list(&backend, &ListOptions::default()).await;
    fails(refused, ErrorCode::PermissionDenied, "gcloud auth application-default login");
    assert_eq!(exchanges(&store), 1, "a refusal is not asked for again");
}

#[tokio::test]
async fn a_key_that_is_none() {
    let store = Gcs::with_tokens();
    let mut key = service_account();
    key["private_key"] = "canary-of-the-tests".into();
    let backend = with_json(&store, &key);
    let error = list(&backend, &ListOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(!format!("{error:?} {backend:?}").contains("canary"));
}

#[tokio::test]
async fn nobody_gives_tokens() {
    let store = Gcs::with_tokens();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = config(&store)
        .with("token_endpoint", format!("http://{unused}"))
        .with("credentials_json", user(REFRESH_TOKEN).to_string());
    let backend = GcsBackend::from_config(config).unwrap();
    fails(list(&backend, &ListOptions::default()).await, ErrorCode::Unavailable, "gives tokens");
}
