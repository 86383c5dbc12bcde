//! Both hosts from the same binary: the crate's examples, started as a pod and as a Lambda.
#![expect(clippy::expect_used, reason = "a test without its input has failed")]

mod http;
mod lifecycle;
mod process;
mod traces;
