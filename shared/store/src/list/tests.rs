//! What the document says that a parameter may be, and what is taken, are one.

use test_values::schema::{agree, in_json};

use super::{Sort, TitleText};

#[test]
fn parameters_are_what_the_document_says() {
    agree::<TitleText>(&["abc", "a-b c1d", "für"], in_json::<TitleText>);
    agree::<Sort>(&["created", "-due"], in_json::<Sort>);
}
