//! What became of a seed.

/// What became of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Everything that happened, a line each, with milliseconds since the start.
    pub trace: Vec<String>,
    /// The promises that were broken, in words; empty if all is well.
    pub broken: Vec<String>,
}
