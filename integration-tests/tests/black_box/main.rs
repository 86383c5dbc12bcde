//! Black box: the built binaries on real servers, seen from outside.
//!
//! Each test has a database, queues and processes of its own and shares the servers that
//! `local-stack exec` started (`make test` runs it). Tests that stop a server start a private one.
#![expect(clippy::expect_used, reason = "a test without its input has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that looks for what is not there has failed")]
#![expect(clippy::disallowed_methods, reason = "what a test looks up need not compile in advance")]

mod api;
mod attachments;
mod attacks;
mod cargo_lambda;
mod claim_check;
mod configuration;
mod conformance;
mod contract;
mod dead_letters;
mod every_step;
mod exactly_once;
mod faults;
mod history;
#[path = "../../../shared/domain/tests/hostile/mod.rs"]
mod hostile;
mod in_flight;
mod lambda;
#[path = "../../../shared/runtime/tests/lambda/lambda_api.rs"]
#[expect(dead_code, reason = "the tests of `runtime` use the rest")]
mod lambda_api;
#[path = "../../../shared/runtime/tests/lambda/events.rs"]
#[expect(dead_code, reason = "the tests of `runtime` use the rest")]
mod lambda_events;
mod lame_duck;
mod load;
mod main_job;
mod mapping;
mod operations;
mod order;
mod outages;
mod private;
mod producers;
mod publish;
mod reads;
#[path = "../../../shared/store/tests/store/cluster.rs"]
#[expect(dead_code, reason = "the tests of `store` use the rest")]
mod redis_cluster;
mod relay;
mod schemathesis;
mod subscribers;
mod tour;
mod traces;
mod whole;
mod world;
