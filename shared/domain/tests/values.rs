//! Whatever a value type accepts, it writes and reads again as the same; and it accepts what is at
//! the edge.
#![expect(clippy::expect_used, reason = "a test that cannot build its input has failed")]

use std::fmt::Debug;
use std::str::FromStr;

use domain::{
    Assignee, AttachmentName, ContentType, CreateTask, Description, DueDate, Tag, TaskId, TenantId,
    Title,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use test_values::hostile;

/// Asserts that, if `text` is a value, it is the same after it was JSON, and its JSON is `text`.
fn returns<T>(text: &str) -> Result<(), TestCaseError>
where
    T: FromStr + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Ok(value) = text.parse::<T>() else { return Ok(()) };
    let json = serde_json::to_string(&value).expect("JSON");
    prop_assert_eq!(&serde_json::from_str::<String>(&json).expect("a string"), text);
    prop_assert_eq!(serde_json::from_str::<T>(&json).expect("a value"), value);
    Ok(())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,60}",
        "[a-z0-9/!#$&^_.+:-]{1,60}",
        "[0-9]{4,5}-[0-9]{2}-[0-9]{2}",
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        hostile::title(),
        hostile::due_date(),
    ]
}

proptest! {
    #[test]
    fn every_value_that_is_accepted_returns_from_json(text in any_text()) {
        returns::<Title>(&text)?;
        returns::<Description>(&text)?;
        returns::<Tag>(&text)?;
        returns::<Assignee>(&text)?;
        returns::<TenantId>(&text)?;
        returns::<AttachmentName>(&text)?;
        returns::<ContentType>(&text)?;
        returns::<TaskId>(&text)?;
        returns::<DueDate>(&text)?;
    }

    #[test]
    fn every_day_from_the_first_to_the_last_is_one_and_no_other(year in 0..=10_000_u16) {
        let day = format!("{year:04}-06-15").parse::<DueDate>();
        prop_assert_eq!(day.is_ok(), (1..=9_999).contains(&year));
    }

    #[test]
    fn what_is_at_the_edge_is_accepted(task in hostile::new_task()) {
        let parsed: CreateTask = serde_json::from_value(task.clone()).expect("a task");
        prop_assert_eq!(serde_json::to_value(parsed).expect("JSON"), task);
    }
}
