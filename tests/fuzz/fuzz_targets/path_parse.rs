//! An accepted path is kept to the byte, stays below the root, and joins and strips back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnistorage_core::Path;

fuzz_target!(|input: (&str, &str)| {
    let (Ok(one), Ok(two)) = (Path::parse(input.0), Path::parse(input.1)) else { return };
    assert_eq!((one.as_str(), two.as_str()), input);
    assert!(one.segments().all(|segment| !matches!(segment, "" | "." | "..")));
    assert_eq!(one.segments().collect::<Vec<_>>().join("/"), one.as_str());
    if let Ok(joined) = one.join(&two) {
        assert_eq!(Path::parse(joined.as_str()).as_ref(), Ok(&joined));
        assert_eq!(joined.strip_prefix(&one), Some(two));
    }
});
