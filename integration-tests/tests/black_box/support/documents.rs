//! Documents whose examples are run.

use std::fs;

use local_stack::repository;

/// A block of a document that is not prose.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) text: &'a str,
}

pub(crate) fn document(path: &str) -> String {
    fs::read_to_string(repository().join(path)).expect("a document")
}

/// The blocks of a document, in their order.
pub(crate) fn all_blocks(document: &str) -> impl Iterator<Item = Block<'_>> {
    // Between two fences there is a block, then prose, then a block.
    document.split("\n```").skip(1).step_by(2).map(|block| {
        let (language, text) = block.split_once('\n').expect("a block of more than its fence");
        Block { language, text }
    })
}

/// Those in one language.
pub(crate) fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = all_blocks(document).filter(|block| block.language == language);
    blocks.map(|block| block.text).collect()
}
