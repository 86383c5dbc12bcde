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
mod backup;
mod cargo_lambda;
mod claim_check;
mod clients;
mod configuration;
mod conformance;
mod contract;
mod dead_letters;
mod described;
mod every_step;
mod exactly_once;
mod faults;
mod history;
mod in_flight;
mod lambda;
mod lame_duck;
mod main_job;
mod metrics;
mod operations;
mod order;
mod outages;
mod producers;
mod publish;
mod reads;
mod relay;
mod schemathesis;
mod secrets;
mod subscribers;
mod support;
mod tour;
mod traces;
mod whole;
