//! Any message body: decoding never panics, and a reason is given for what is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &str| {
    match events::decode(body) {
        Ok(event) => assert!(!event.id.as_str().is_empty()),
        Err(error) => assert!(!error.detail.is_empty()),
    }
});
