//! Any record of an SQS event is read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| runtime::fuzzing::sqs_record(json));
