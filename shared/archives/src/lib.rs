//! Large S3 objects, with memory that is bounded whatever their size: exports of dead letters and
//! backups of the database need all of it.

mod compression;
mod hex;
mod upload;

pub use compression::{Compressor, Decompressor};
pub use hex::hex;
pub use upload::{Encryption, Target, Upload, UploadError, client};
