//! Secrets of AWS Secrets Manager, which settings name by ARN (`DATABASE_SECRET_ARN`).
//!
//! A Lambda has no mounted files, and everybody who may describe it reads its environment. So its
//! settings name secrets, and it fetches them with its role. Secrets are JSON objects, as RDS, its
//! rotation and CDK write them.

mod arn;
mod client;
mod value;

pub use arn::SecretArn;
