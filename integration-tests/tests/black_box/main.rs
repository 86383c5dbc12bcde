//! Black box: the built binaries on real servers, seen from outside.
//!
//! Each test has a database, queues and processes of its own and shares the servers that
//! `local-stack exec` started (`make test` runs it). Tests that stop a server start a private one.
#![expect(clippy::expect_used, reason = "a test without its input has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that looks for what is not there has failed")]
#![expect(clippy::disallowed_methods, reason = "what a test looks up need not compile in advance")]

mod attachments;
mod cargo_lambda;
mod claim_check;
mod configuration;
mod conformance;
mod dead_letters;
mod every_step;
mod exactly_once;
mod faults;
mod history;
mod http;
mod lambda;
#[path = "../../../shared/runtime/tests/lambda/lambda_api.rs"]
#[expect(dead_code, reason = "the tests of `runtime` use the rest")]
mod lambda_api;
mod lambda_http;
mod listing;
mod load;
mod main_job;
mod mapping;
mod operations;
mod private;
mod producers;
mod publish;
mod relay;
mod subscribers;
mod tour;
mod traces;
mod world;
