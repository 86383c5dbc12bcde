//! What the tests stand on: a system of one's own, and servers that may be stopped.

pub(crate) mod documents;
pub(crate) mod event_source_mapping;
pub(crate) mod load;
pub(crate) mod private_servers;
pub(crate) mod system;
pub(crate) mod times;
