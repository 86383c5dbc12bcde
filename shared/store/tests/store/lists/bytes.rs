//! Pages of large tasks: bounded in bytes, and each task on one of them.

use domain::{Action, CreateTask, TaskId, TenantId, limits};
use store::{Filter, Freshness, PageBody, Sort, Start};
use test_values::hostile;

use crate::fixture::{Fixture, create, new_task, of_tenant};

const LARGE: usize = 25;
const SMALL: usize = 30;

/// Tasks as large as may be, with small ones between them.
async fn fill(fixture: &Fixture) -> Vec<TaskId> {
    let large: CreateTask = serde_json::from_value(hostile::largest_task()).expect("a task");
    let mut tasks = Vec::new();
    for number in 0..LARGE + SMALL {
        let action = if number % 2 == 0 && number / 2 < LARGE {
            // Some without a day: those are read by another statement.
            let due_date = large.due_date.filter(|_| number % 4 == 0);
            Action::Create(CreateTask { due_date, ..large.clone() })
        } else {
            create("Small")
        };
        let task = new_task();
        fixture.apply(vec![of_tenant("acme", &task.to_string(), task, action)]).await;
        tasks.push(task);
    }
    tasks
}

/// Every page of a list.
async fn pages(fixture: &Fixture, sort: &str) -> Vec<PageBody> {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let sort = Sort::try_from(sort.to_owned()).expect("a sort");
    let (mut next, mut pages) = (Some(Start::from(sort)), Vec::new());
    while let Some(start) = next.take() {
        let filter = Filter::default();
        let page = fixture.reader.page(&tenant, &filter, start, 200, Freshness::Current).await;
        let (page, _) = page.expect("a page");
        next.clone_from(&page.next);
        pages.push(page);
    }
    pages
}

#[tokio::test]
async fn no_page_has_more_bytes_than_it_may_and_no_task_is_missed() {
    let fixture = Fixture::new().await;
    let mut tasks = fill(&fixture).await;
    tasks.sort_unstable();
    for sort in ["created", "-updated", "due", "-due", "priority", "-priority"] {
        let pages = pages(&fixture, sort).await;
        assert!(pages.len() > 2, "{sort}: {} pages", pages.len());
        let mut found = Vec::new();
        for (number, page) in pages.iter().enumerate() {
            let json = page.tasks.get();
            assert!(json.len() <= limits::PAGE_BYTES_MAX, "{sort}: {} bytes", json.len());
            let is_last = number + 1 == pages.len();
            assert!(is_last || json.len() > limits::PAGE_BYTES_MAX / 2, "{sort}: {}", json.len());
            let read: Vec<domain::Task> = serde_json::from_str(json).expect("tasks");
            assert!(!read.is_empty(), "{sort}");
            found.extend(read.into_iter().map(|task| task.id));
        }
        found.sort_unstable();
        assert_eq!(found, tasks, "{sort}");
    }
}
