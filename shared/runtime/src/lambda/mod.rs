//! The Lambda host: the same handlers, fed by invocations.
//!
//! What a pod's listener, poller or start does, an invocation does here: [`http`] turns an event of
//! API Gateway (v1 or v2), a load balancer or a function URL into a request for the same hardened
//! router, [`sqs`] turns an event source mapping's batch into deliveries for the same worker, [`job`]
//! runs a job. One invocation runs at a time, and Lambda freezes the process in between; nothing
//! listens, nobody probes.
//!
//! Work stops a while before an invocation's deadline, so that its response can still be sent.
//! SIGTERM lets a running invocation finish; Lambda sends it only to functions that have an
//! extension, and so [`extension`] registers one.

mod extension;
pub(crate) mod http;
mod init_error;
pub(crate) mod job;
mod normalise;
mod runtime;
pub(crate) mod sqs;
mod sqs_record;
#[cfg(test)]
mod tests;

pub(crate) use init_error::report as report_init_error;
