//! Large S3 objects, with memory that is bounded whatever their size: exports of dead letters and
//! backups of the database need all of it.

mod compression;
mod upload;
mod url;

pub use compression::{Compressor, Decompressor};
pub use upload::{Encryption, Target, Upload, UploadError, client};
pub use url::{parse_url, url};
