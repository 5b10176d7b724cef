//! Where the rights to a store are found, on a server that looks at signatures, and that none of them can be read.

use std::{fs, process::Command};

use omnistorage_test_servers::{
    ACCESS_KEY, BUCKET, Canned, Fault, Proxy, SECRET_KEY, canary::CANARIES, weed,
};

use crate::{
    command::{Run, command},
    tree::Scratch,
};

/// `omnistorage` with nothing of the user's own credentials, and no way out of this machine.
fn on_weed(arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"] {
        command.env_remove(variable);
    }
    command
        .env("AWS_ENDPOINT_URL", &weed().endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    command
}

fn run(command: &mut Command) -> Run {
    command.output().expect("the binary runs").into()
}

/// Puts an object, which only the right credentials can.
fn put(name: &str) -> Command {
    let mut command = on_weed(&["put", &format!("s3://{BUCKET}/credentials/{name}")]);
    command.stdin(std::process::Stdio::null());
    command
}

#[test]
fn they_come_from_the_environment() {
    run(put("environment").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY))
        .ok();
}

#[test]
fn they_come_from_a_profile_of_the_shared_files() {
    let scratch = Scratch::new();
    let credentials = scratch.path("credentials");
    let text = format!(
        "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n\n\
         [work]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    );
    fs::write(&credentials, text).unwrap();
    let profile = |name: &str| {
        let mut command = put("profile");
        command.env("AWS_SHARED_CREDENTIALS_FILE", &credentials).env("AWS_PROFILE", name);
        run(&mut command)
    };
    profile("work").ok();
    profile("default").fails(6, &["access key"]);
    profile("none").fails(6, &["credentials"]);
}

#[test]
fn they_come_from_a_program() {
    let scratch = Scratch::new();
    let config = scratch.path("config");
    let answer = scratch.path("answer");
    fs::write(
        &answer,
        format!("{{\"Version\":1,\"AccessKeyId\":\"{ACCESS_KEY}\",\"SecretAccessKey\":\"{SECRET_KEY}\"}}"),
    )
    .unwrap();
    let text = format!("[default]\ncredential_process = cat {}\n", answer.display());
    fs::write(&config, text).unwrap();
    run(put("process").env("AWS_CONFIG_FILE", &config)).ok();
}

#[test]
fn they_come_from_the_container_that_it_runs_in() {
    let container = Proxy::before(&weed().endpoint);
    let answer = format!(
        "{{\"AccessKeyId\":\"{ACCESS_KEY}\",\"SecretAccessKey\":\"{SECRET_KEY}\",\"Token\":\"\",\
         \"Expiration\":\"2099-01-01T00:00:00Z\"}}"
    );
    container.plan(move |_| {
        let json = Canned::status(200).header("content-type", "application/json");
        Some(Fault::Answer(json.body(&answer)))
    });
    let mut with_container = put("container");
    with_container.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", container.endpoint));
    with_container.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token");
    run(&mut with_container).ok();
    assert!(!container.take_requests().is_empty());
}

#[test]
fn nobody_is_asked_where_that_is_switched_off() {
    let service = Proxy::before(&weed().endpoint);
    service.plan(|_| Some(Fault::Answer(Canned::status(404))));
    let mut without = put("nothing");
    without.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.endpoint);
    run(&mut without).fails(6, &["no valid credentials", "anonymous"]);
    assert_eq!(service.take_requests(), [], "the instance was asked");

    let scratch = Scratch::new();
    let config = scratch.path("config.toml");
    let text = format!("[backends.store]\nkind = \"s3\"\nbucket = \"{BUCKET}\"\ninstance_metadata = false\n");
    fs::write(&config, text).unwrap();
    let mut without = on_weed(&["--config", config.to_str().unwrap(), "stat", "store:a"]);
    without.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.endpoint);
    without.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", service.endpoint));
    without.env_remove("AWS_EC2_METADATA_DISABLED");
    run(&mut without).fails(6, &["no valid credentials"]);
    assert_eq!(service.take_requests(), [], "the instance or the container was asked");
}

#[test]
fn a_token_of_a_web_identity_is_asked_for_before_the_instance() {
    let scratch = Scratch::new();
    let token = scratch.path("token");
    fs::write(&token, CANARIES[1]).unwrap();
    // The service for it lies on the internet, and the way there ends here.
    let way = Proxy::before(&weed().endpoint);
    way.plan(|_| Some(Fault::Answer(Canned::status(403))));
    let mut with_token = put("web");
    with_token
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/test")
        .env("HTTPS_PROXY", &way.endpoint)
        .env("NO_PROXY", "127.0.0.1");
    let run = run(&mut with_token).fails(6, &["credentials"]);
    let asked: Vec<_> = way.take_requests().into_iter().map(|request| request.target).collect();
    assert!(asked.iter().any(|target| target.starts_with("sts.")), "{asked:?}");
    assert!(!run.stderr.contains("canary"), "{}", run.stderr);
}

#[test]
fn no_secret_is_in_what_the_binary_prints() {
    let scratch = Scratch::new();
    fs::write(scratch.path("a"), "1").unwrap();
    let source = scratch.path("a");
    for arguments in [
        vec!["-vv", "ls", "-r", "s3://omnistorage-test/canaries"],
        vec!["-vv", "stat", "--json", "s3://omnistorage-test/canaries/a"],
        vec!["-vv", "copy", source.to_str().unwrap(), "s3://omnistorage-test/canaries"],
        vec!["-vv", "features", "s3://omnistorage-test/canaries"],
        vec!["-vv", "rm", "s3://no-such-bucket/a"],
    ] {
        let mut with_canaries = on_weed(&arguments);
        with_canaries
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", CANARIES[0])
            .env("AWS_SESSION_TOKEN", CANARIES[1])
            .env("RUST_LOG", "trace");
        let run = run(&mut with_canaries);
        let printed = format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
        assert!(!printed.contains("canary"), "{printed}");
    }
}
