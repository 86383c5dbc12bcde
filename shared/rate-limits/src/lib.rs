//! Rate limits: how many requests of each class a tenant may make, and one caller of it.
//!
//! They keep one tenant's mistake, such as a loop without a pause, from being felt by the others, and one
//! program's from being felt by its own tenant. All
//! replicas of all functions count in one Redis, in one round trip, and busy ones some requests in advance
//! (`leases`). Where Redis does not answer, the request is let through and counted: a limit that nobody can
//! check must not become an outage.

mod config;
mod instruments;
mod leases;
mod limit;
mod rate_limits;

pub use config::Config;
pub use instruments::INSTRUMENTS;
pub use limit::{Class, Limit, RateLimitStatus, Whose};
pub use rate_limits::{ClassLimits, RateLimits};
