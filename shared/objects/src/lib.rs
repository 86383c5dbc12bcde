//! S3 objects as attachments and claim checks both need them.

pub mod claim_check;
mod failure;
mod remove;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

pub use failure::Failure;
pub use remove::{remove, remove_version};

/// A client. Path style where an endpoint is set, for one that is no AWS has no name for each bucket.
#[must_use]
pub fn client(aws: &SdkConfig) -> Client {
    let config = Builder::from(aws).force_path_style(aws.endpoint_url().is_some()).build();
    Client::from_conf(config)
}
