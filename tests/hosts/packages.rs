//! What is published of the components: OCI image layouts, read back by their digests, and WIT packages.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    imports::interfaces,
    shipped::{component, packages},
    stock::{is_left_out, tool},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What a descriptor describes, which must be of that media type, and of the digest and the size that it tells.
fn blob(layout: &Path, descriptor: &Value, media_type: &str) -> Vec<u8> {
    assert_eq!(descriptor["mediaType"], media_type);
    let (algorithm, digest) = descriptor["digest"].as_str().unwrap().split_once(':').unwrap();
    assert_eq!(algorithm, "sha256");
    let blob = fs::read(layout.join("blobs/sha256").join(digest)).unwrap();
    let found: String = Sha256::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((descriptor["size"].as_u64(), digest), (Some(blob.len() as u64), &*found));
    blob
}

/// The one component of a layout, and its configuration.
fn unpacked(layout: &Path) -> (Vec<u8>, Value) {
    assert_eq!(read(&layout.join("oci-layout")), json!({ "imageLayoutVersion": "1.0.0" }));
    let index = read(&layout.join("index.json"));
    let [tagged] = &index["manifests"].as_array().unwrap()[..] else { panic!("{index}") };
    assert_eq!(tagged["annotations"]["org.opencontainers.image.ref.name"], VERSION);
    let manifest = blob(layout, tagged, "application/vnd.oci.image.manifest.v1+json");
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let config = blob(layout, &manifest["config"], "application/vnd.wasm.config.v0+json");
    let [layer] = &manifest["layers"].as_array().unwrap()[..] else { panic!("{manifest}") };
    let component = blob(layout, layer, "application/wasm");
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["layerDigests"], json!([layer["digest"]]));
    assert_eq!(fs::read_dir(layout.join("blobs/sha256")).unwrap().count(), 3, "something is left over");
    (component, config)
}

#[test]
fn each_component_is_an_image_that_says_what_it_asks_for() {
    if is_left_out() {
        return;
    }
    for name in
        ["omnistorage", "omnistorage-cli", "omnistorage-codec", "omnistorage-provider-s3", "omnistorage-s3"]
    {
        let (layer, config) = unpacked(&packages().join("oci").join(name));
        assert!(layer == fs::read(component(name)).unwrap(), "{name}");
        assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")));
        let created = config["created"].as_str().unwrap();
        assert!(created.len() == 20 && created.starts_with("20") && created.ends_with('Z'), "{created}");
        let told = |kind: &str| {
            let names = config["component"][format!("{kind}s")].as_array().unwrap().iter();
            names.map(|name| format!("{kind} {}", name.as_str().unwrap())).collect::<BTreeSet<_>>()
        };
        assert_eq!(&told("import") | &told("export"), interfaces(&layer), "{name}");
    }
}

/// What a registry hands out is what ran before.
#[test]
fn a_component_out_of_its_image_runs() {
    if is_left_out() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("cli.wasm");
    fs::write(&path, unpacked(&packages().join("oci/omnistorage-cli")).0).unwrap();
    let done = Command::new(tool("wasmtime")).arg("run").arg(path).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), format!("omnistorage {VERSION}\n"));
}

/// The packages hold every interface of their directory, and what `wkg.toml` says.
#[test]
fn the_wit_packages_say_what_they_are() {
    if is_left_out() {
        return;
    }
    for (name, directory) in [("storage", "wit"), ("codec", "wit/codec")] {
        let package = packages().join(format!("{name}-{VERSION}.wasm"));
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(directory);
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "wit"));
        let mut expected = BTreeSet::new();
        for text in texts.map(|path| fs::read_to_string(path).unwrap()) {
            expected.extend(
                text.lines()
                    .filter_map(|line| line.strip_prefix("interface ").or(line.strip_prefix("world ")))
                    .map(|line| format!("export {}", line.trim_end_matches([' ', '{']))),
            );
        }
        let bytes = fs::read(&package).unwrap();
        assert_eq!(interfaces(&bytes), expected, "{name}");
        for said in ["MIT OR Apache-2.0", "The omnistorage authors"] {
            assert!(bytes.windows(said.len()).any(|window| window == said.as_bytes()), "{name}: {said}");
        }
        let (layer, _) = unpacked(&packages().join("oci").join(format!("{name}-{VERSION}")));
        assert!(layer == bytes, "{name}");
    }
}
