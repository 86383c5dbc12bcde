//! What the document says that a parameter may be, and what is taken, are one.

use proptest::prelude::*;
use test_values::schema::{agree, in_json, schema_of};

use super::{Sort, TitleText};

#[test]
fn parameters_are_what_the_document_says() {
    agree::<Sort>(&["created", "-due"], in_json::<Sort>);
}

proptest! {
    /// The other way the schema does not say which characters are letters.
    #[test]
    fn a_title_that_is_taken_is_what_the_document_says(text in "(\\PC{0,4}|[a-z]{2,4}|\\PC{196,202})") {
        let taken = in_json::<TitleText>(&text);
        prop_assert!(!taken || schema_of::<TitleText>().is_valid(&text.into()));
    }
}
