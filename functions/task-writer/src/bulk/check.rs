//! The tasks of a request, one by one: each is read for itself, so that one that does not fit the
//! contract spoils no other.

use domain::CreateTask;
use domain::json::{Fault, parse_object};
use http_support::{FieldError, Problem};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use store::Fingerprint;

/// Most tasks of one request.
const MOST: usize = 100;

/// Tasks to create. Of an element of `tasks` anything is taken: one that does not fit gets a 422 of its
/// own and spoils no other.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTasks {
    /// 1 to 100 of them.
    #[serde(deserialize_with = "bounded")]
    #[schemars(with = "Vec<CreateTask>", length(min = 1, max = 100))]
    tasks: Vec<Box<RawValue>>,
}

fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    let tasks = Vec::deserialize(deserializer)?;
    if (1..=MOST).contains(&tasks.len()) {
        return Ok(tasks);
    }
    Err(D::Error::custom(format!("expected 1 to {MOST} tasks, not {}", tasks.len())))
}

/// A request, looked at task by task.
pub(super) struct Checked {
    /// The tasks that fit the contract.
    pub(super) fitting: Vec<CreateTask>,
    /// Of each task, what is wrong with it.
    pub(super) faults: Vec<Option<FieldError>>,
    /// Of all tasks, also of those that do not fit.
    pub(super) fingerprint: Fingerprint,
}

impl NewTasks {
    pub(super) fn check(&self) -> Result<Checked, Problem> {
        let (mut fitting, mut faults, mut digest) = (Vec::new(), Vec::new(), Sha256::new());
        for (index, task) in self.tasks.iter().enumerate() {
            let checked = parse_object::<CreateTask>(task.get().as_bytes());
            match &checked {
                // However it was spelt.
                Ok(new) => digest.update(serde_json::to_vec(new).map_err(anyhow::Error::from)?),
                Err(_) => digest.update(task.get()),
            }
            digest.update(",");
            faults.push(checked.map(|new| fitting.push(new)).err().map(|fault| at(index, fault)));
        }
        Ok(Checked { fitting, faults, fingerprint: digest.finalize().into() })
    }
}

/// A fault of one task, as a fault of the whole body. What the parser only found when it looked into
/// the task, such as a number that is too large, has no place in it.
fn at(index: usize, fault: Fault) -> FieldError {
    let (within, detail) = match fault {
        Fault::Data { pointer, detail } => (pointer, detail),
        Fault::Syntax { detail, .. } => (String::new(), detail),
    };
    FieldError { pointer: format!("/tasks/{index}{within}"), detail }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(body: &Value) -> Result<Checked, Fault> {
        let tasks: NewTasks = parse_object(body.to_string().as_bytes())?;
        Ok(tasks.check().unwrap())
    }

    fn pointers(tasks: &Value) -> Vec<Option<String>> {
        let faults = parse(&json!({ "tasks": tasks })).unwrap().faults;
        faults.into_iter().map(|fault| Some(fault?.pointer)).collect()
    }

    #[test]
    fn each_task_is_looked_at_for_itself() {
        let tasks = json!([
            {"title": "fits"}, {"title": " "}, {"title": "x", "tags": ["a", 7]}, {"titel": "x"}, {}, 7,
            {"title": "fits, too"}, [{"title": "x"}], null,
        ]);
        let expected = [
            None,
            Some("/tasks/1/title"),
            Some("/tasks/2/tags/1"),
            Some("/tasks/3/titel"),
            Some("/tasks/4"),
            Some("/tasks/5"),
            None,
            Some("/tasks/7"),
            Some("/tasks/8"),
        ];
        assert_eq!(pointers(&tasks), expected.map(|at| at.map(ToOwned::to_owned)));
    }

    #[test]
    fn what_is_json_and_yet_no_value_is_the_fault_of_its_task() {
        for odd in [r#"{"title":"\ud800"}"#, r#"{"title":1e999}"#] {
            let body = format!(r#"{{"tasks":[{{"title":"fits"}},{odd}]}}"#);
            let tasks: NewTasks = parse_object(body.as_bytes()).unwrap();
            let Checked { fitting, faults, .. } = tasks.check().unwrap();
            assert_eq!(fitting.len(), 1);
            assert!(faults[1].as_ref().unwrap().pointer.starts_with("/tasks/1"), "{odd}");
        }
    }

    #[test]
    fn a_request_without_tasks_or_with_too_many_is_refused_as_a_whole() {
        let many = |count: usize| json!({"tasks": vec![json!({"title": "x"}); count]});
        for (body, at) in [
            (many(0), "/tasks"),
            (many(101), "/tasks"),
            (json!({}), ""),
            (json!({"tasks": {"title": "x"}}), "/tasks"),
            (json!({"tasks": [{"title": "x"}], "atomic": true}), "/atomic"),
        ] {
            match parse(&body).err() {
                Some(Fault::Data { pointer, .. }) => assert_eq!(pointer, at, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
        assert_eq!(parse(&many(100)).unwrap().fitting.len(), 100);
    }

    #[test]
    fn a_fingerprint_is_of_the_request_and_not_of_its_spelling() {
        let of = |tasks: Value| parse(&json!({ "tasks": tasks })).unwrap().fingerprint;
        let request = of(json!([{"title": "a", "priority": "normal"}, {"title": " "}]));
        assert_eq!(request, of(json!([{"priority": "normal", "title": "a"}, {"title": " "}])));
        assert_eq!(request, of(json!([{"title": "a"}, {"title": " "}])));
        for other in [
            json!([{"title": "a"}]),
            json!([{"title": " "}, {"title": "a"}]),
            json!([{"title": "a"}, {"title": ""}]),
            json!([{"title": "b"}, {"title": " "}]),
        ] {
            assert_ne!(request, of(other.clone()), "{other}");
        }
    }
}
