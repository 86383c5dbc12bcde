//! Any event of API Gateway (v1, v2), a load balancer or a function URL gets an answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| runtime::fuzzing::http_event(json));
