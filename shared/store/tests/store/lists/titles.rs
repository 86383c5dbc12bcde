//! What finds a title, in several scripts: against a plain definition.

use std::collections::HashSet;

use domain::TenantId;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::{Filter, Sort, TitleText};

use super::random::pick;
use crate::fixture::{Fixture, create, incoming, new_task};

const TITLES: u16 = 400;
const TEXTS: usize = 400;

/// Letters of several scripts, and what divides words or means something to PostgreSQL.
const CHARACTERS: &str = "aqAQéÉяЯß1  -+._%\\([🚀会水の한";

fn is_cjk(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Whether two characters beside each other are of one word.
fn is_joined(left: char, right: char) -> bool {
    [left, right].iter().all(|one| one.is_alphanumeric() && !is_cjk(*one))
}

/// Whether the text finds the title, as the document says it.
fn finds(text: &str, title: &str) -> bool {
    let (text, title) = (text.to_lowercase(), title.to_lowercase());
    let mut runs = text.split(|one: char| !one.is_alphanumeric());
    if runs.any(|run| run.chars().count() >= 3) {
        return title.contains(&text);
    }
    let (text, title): (Vec<_>, Vec<_>) = (text.chars().collect(), title.chars().collect());
    title.windows(text.len()).enumerate().any(|(at, part)| {
        let before = at.checked_sub(1).is_some_and(|at| is_joined(title[at], text[0]));
        let after = title.get(at + text.len());
        let after = after.is_some_and(|after| is_joined(text[text.len() - 1], *after));
        part == text && !before && !after
    })
}

fn line(random: &mut StdRng, length: usize) -> String {
    let characters: Vec<_> = CHARACTERS.chars().collect();
    (0..length).map(|_| *pick(random, &characters)).collect()
}

/// A part of one of the titles, or a text of its own.
fn text(random: &mut StdRng, titles: &[String]) -> String {
    let length = random.random_range(1..5);
    if random.random() {
        return line(random, length);
    }
    let title: Vec<_> = pick(random, titles).chars().collect();
    let at = random.random_range(0..title.len());
    title.iter().skip(at).take(length).collect()
}

/// A tenant with these titles.
async fn tenant_with(titles: &[String]) -> Fixture {
    let fixture = Fixture::new().await;
    let batch = titles.iter().map(|title| {
        let task = new_task();
        incoming(&task.to_string(), task, create(title))
    });
    fixture.apply(batch.collect()).await;
    fixture
}

async fn found(fixture: &Fixture, text: TitleText) -> HashSet<String> {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let filter = Filter { title: Some(text), ..Filter::default() };
    let page = fixture.reader.tasks(&tenant, &filter, Sort::default().into(), TITLES).await;
    page.expect("a page").tasks.iter().map(|task| task.title.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_text_finds_the_titles_that_the_document_says() {
    let mut random = StdRng::seed_from_u64(15);
    let titles: Vec<_> = (0..TITLES)
        .map(|_| {
            let length = random.random_range(1..10);
            // Something to see.
            format!("{}.", line(&mut random, length))
        })
        .collect();
    let fixture = tenant_with(&titles).await;
    let mut hits = 0;
    for _ in 0..TEXTS {
        let text = text(&mut random, &titles);
        let Ok(searched) = TitleText::try_from(text.clone()) else { continue };
        let expected: HashSet<_> =
            titles.iter().filter(|title| finds(&text, title)).cloned().collect();
        hits += usize::from(!expected.is_empty());
        assert_eq!(found(&fixture, searched).await, expected, "{text:?}");
    }
    assert!(hits > TEXTS / 4, "only {hits} texts find something");
}

#[tokio::test]
async fn short_words_and_words_without_spaces_are_found() {
    let titles =
        ["QA: plan", "Aqaba", "PRレビュー", "C++ and c#", "断水のお知らせ", "주간 회의록", "Öl"];
    let fixture = tenant_with(&titles.map(str::to_owned)).await;
    for (text, expected) in [
        ("qa", &["QA: plan"][..]),
        ("pr", &["PRレビュー"]),
        ("c++", &["C++ and c#"]),
        ("C#", &["C++ and c#"]),
        ("水", &["断水のお知らせ"]),
        ("レビ", &["PRレビュー"]),
        ("회의", &["주간 회의록"]),
        ("öl", &["Öl"]),
        ("q", &[]),
        ("議会", &[]),
    ] {
        let searched = TitleText::try_from(text.to_owned()).expect("a text");
        let expected: HashSet<_> = expected.iter().map(|title| (*title).to_owned()).collect();
        assert_eq!(found(&fixture, searched).await, expected, "{text}");
    }
}
