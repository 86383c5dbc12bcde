//! What the tests stand on: a system of one's own, servers that may be stopped, and what other rings
//! of tests have already.

pub(crate) mod event_source_mapping;
#[path = "../../../../shared/domain/tests/hostile/mod.rs"]
pub(crate) mod hostile;
#[path = "../../../../shared/runtime/tests/lambda/lambda_api.rs"]
#[expect(dead_code, reason = "the tests of `runtime` use the others")]
pub(crate) mod lambda_api;
#[path = "../../../../shared/runtime/tests/lambda/events.rs"]
#[expect(dead_code, reason = "the tests of `runtime` use the others")]
pub(crate) mod lambda_events;
pub(crate) mod load;
pub(crate) mod private_servers;
#[path = "../../../../shared/store/tests/store/cluster.rs"]
#[expect(dead_code, reason = "the tests of `store` use the others")]
pub(crate) mod redis_cluster;
pub(crate) mod system;
