//! Pages to read: how to use it, how to extend it, how it is built, and why it is so.
//!
//! To use it:
//!
//! - [`install`]: packages for pip, npm, Debian, and a tarball;
//! - [`tutorial`]: ten minutes, from an empty directory to a mirrored bucket and a file of records;
//! - [`cookbook`]: a recipe for each task;
//! - [`command_line`]: every command and option;
//! - [`sync`]: when two objects count as the same, which ones are meant, and what is refused;
//! - [`cluster`]: one run over many machines, and what happens when one of them fails;
//! - [`rclone`]: what differs from rclone, and why;
//! - [`stores`]: what each backend can do, what was tried, and what there is not yet;
//! - [`speed`]: figures, and how they are made;
//! - [`applications`]: a component of your own over the library, composed, in any host of WASI 0.3;
//! - [`embedding`]: from Rust, from your own wasmtime, from Python, Node and the browser;
//! - [`composing`]: into hosts that know nothing of it, by components over WASI;
//! - [`security`]: what a grant gives, which limit stops what, and the tests that show it.
//!
//! To work on it:
//!
//! - [`concepts`]: the words that everything else uses;
//! - [`architecture`]: which part does what, and the way of a file through all of them;
//! - [`decisions`]: what was decided and measured, and what would change our mind;
//! - [`extending`]: a backend, a decorator, a codec, a format;
//! - [`zstd`]: the zstd engine, for whoever maintains it.

/// A page of `docs`. The pages link to each other by file, for those who read them in the repository; here the first
/// definition of a link counts, and leads to the module.
macro_rules! page {
    ($name:ident, $file:literal) => {
        #[doc = "[applications]: crate::docs::applications"]
        #[doc = "[architecture]: crate::docs::architecture"]
        #[doc = "[cluster]: crate::docs::cluster"]
        #[doc = "[command line]: crate::docs::command_line"]
        #[doc = "[composing]: crate::docs::composing"]
        #[doc = "[concepts]: crate::docs::concepts"]
        #[doc = "[cookbook]: crate::docs::cookbook"]
        #[doc = "[decisions]: crate::docs::decisions"]
        #[doc = "[embedding]: crate::docs::embedding"]
        #[doc = "[extending]: crate::docs::extending"]
        #[doc = "[install]: crate::docs::install"]
        #[doc = "[rclone]: crate::docs::rclone"]
        #[doc = "[security]: crate::docs::security"]
        #[doc = "[speed]: crate::docs::speed"]
        #[doc = "[stores]: crate::docs::stores"]
        #[doc = "[sync]: crate::docs::sync"]
        #[doc = "[tutorial]: crate::docs::tutorial"]
        #[doc = "[zstd]: crate::docs::zstd"]
        #[doc = ""]
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    };
}

page!(applications, "applications.md");
page!(architecture, "architecture.md");
page!(cluster, "cluster.md");
page!(command_line, "command-line.md");
page!(composing, "composing.md");
page!(concepts, "concepts.md");
page!(cookbook, "cookbook.md");
page!(decisions, "decisions.md");
page!(embedding, "embedding.md");
page!(extending, "extending.md");
page!(install, "install.md");
page!(rclone, "rclone.md");
page!(security, "security.md");
page!(speed, "speed.md");
page!(stores, "stores.md");
page!(sync, "sync.md");
page!(tutorial, "tutorial.md");
page!(zstd, "zstd.md");
