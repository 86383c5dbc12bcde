//! Large S3 objects, with memory that is bounded whatever their size: exports of dead letters and
//! backups of the database need both parts.

mod compression;
mod upload;

pub use compression::{Compressor, Decompressor};
pub use upload::{Encryption, Target, Upload, UploadError, client};
