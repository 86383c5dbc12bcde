//! How the binary that ships is linked.

#![expect(clippy::disallowed_methods, reason = "what cargo says to a build script")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|it| it == value);
    // A pointer to be relocated takes 24 bytes, and packed a few bits. It needs glibc 2.36, which the
    // image has; what a developer builds for himself runs on older ones, too.
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
