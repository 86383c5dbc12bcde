//! Many small writes in few requests, each with a condition and an answer of its own.
//!
//! `BatchWriteItem` knows no conditions, and a transaction fails as a whole. A batch of `PartiQL`
//! statements has both: see <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html>.
//!
//! A statement may be throttled while the others of its request succeed, and then the SDK, which sees
//! a success, does not try again. So that is done here: one busy item must not look like an outage.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{BatchStatementError, BatchStatementResponse};
use aws_sdk_dynamodb::types::{BatchStatementErrorCodeEnum as Code, BatchStatementRequest};
use causes::with_causes;
use futures::{StreamExt as _, stream};
use rand::RngExt as _;
use tokio::time::{Instant, sleep};

/// The attribute after whose second `DynamoDB` deletes an item.
pub(crate) const EXPIRES_AT: &str = "expires_at";
/// Most statements in one request, by DynamoDB.
const STATEMENTS: usize = 25;
/// Requests at a time.
const CONCURRENCY: usize = 4;
/// Before a statement that was throttled is tried again, at most: it doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// For the attempts of a statement: a third of the time that a handler has by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why something was not written, or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// DynamoDB is unavailable or too busy: try again.
    #[error("DynamoDB is not available: {0}")]
    Unavailable(String),
    /// DynamoDB will never take it.
    #[error("DynamoDB refuses it: {0}")]
    Refused(String),
}

/// A write of one item.
pub(crate) struct Statement {
    /// Which item it writes: statements of one item have the same text here, and those of others have not.
    pub(crate) item: String,
    pub(crate) request: BatchStatementRequest,
}

/// What a statement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Written,
    /// Its condition does not hold.
    Unchanged,
}

/// Executes statements; one answer each, in order. Of several that write the same item, which `DynamoDB` would refuse in one
/// request, the first is executed, and its answer is theirs too.
pub(crate) async fn execute(
    client: &Client,
    statements: Vec<Result<Statement, Failure>>,
) -> Vec<Result<Effect, Failure>> {
    let (mut requests, mut places) = (Vec::new(), HashMap::new());
    let planned: Vec<_> = statements
        .into_iter()
        .map(|statement| {
            let Statement { item, request } = statement?;
            Ok(*places.entry(item).or_insert_with(|| {
                requests.push(request);
                requests.len() - 1
            }))
        })
        .collect();
    let call = |requests| execute_once(client, requests);
    let answers = persist(requests, call).await;
    let answer = |place: usize| match answers.get(place) {
        Some(Answer::Done(answer)) => answer.clone(),
        Some(Answer::Busy(cause)) => Err(Failure::Unavailable(cause.clone())),
        None => Err(Failure::Unavailable("an answer is missing".to_owned())),
    };
    planned.into_iter().map(|place| place.and_then(answer)).collect()
}

/// The answers for who wants no more than that it is written: one whose condition does not hold is a
/// success.
pub(crate) fn all_succeed(effects: Vec<Result<Effect, Failure>>) -> Vec<Result<(), Failure>> {
    effects.into_iter().map(|effect| effect.map(drop)).collect()
}

/// What became of one statement.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Done(Result<Effect, Failure>),
    /// It is worth another attempt, soon.
    Busy(String),
}

/// Repeats the busy ones, with backoff and full jitter, while there is time.
async fn persist<R, F>(requests: Vec<R>, call: impl Fn(Vec<R>) -> F) -> Vec<Answer>
where
    R: Clone,
    F: Future<Output = Vec<Answer>>,
{
    let end = Instant::now() + PATIENCE;
    let mut answers = call(requests.clone()).await;
    let mut longest = FIRST_WAIT;
    loop {
        let wait = rand::rng().random_range(Duration::ZERO..=longest);
        let is_busy = |(_, answer): &(usize, &Answer)| matches!(answer, Answer::Busy(_));
        let busy: Vec<_> = answers.iter().enumerate().filter(is_busy).map(|it| it.0).collect();
        if busy.is_empty() || Instant::now() + wait >= end {
            return answers;
        }
        sleep(wait).await;
        let again = busy.iter().filter_map(|place| requests.get(*place).cloned()).collect();
        for (place, answer) in busy.into_iter().zip(call(again).await) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        longest = (longest * 2).min(LONGEST_WAIT);
    }
}

async fn execute_once(client: &Client, requests: Vec<BatchStatementRequest>) -> Vec<Answer> {
    let requests = requests.chunks(STATEMENTS).map(|chunk| async move {
        let request = client.batch_execute_statement().set_statements(Some(chunk.to_vec()));
        match request.send().await {
            Ok(answer) => answers(answer.responses.unwrap_or_default(), chunk.len()),
            Err(error) => vec![Answer::Done(Err(unavailable(error))); chunk.len()],
        }
    });
    let requests: Vec<_> = requests.collect();
    stream::iter(requests).buffered(CONCURRENCY).concat().await
}

/// A whole request that failed: even one that DynamoDB refuses, such as for a missing right, can be
/// mended without a change of its contents.
pub(crate) fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: E) -> Failure {
    Failure::Unavailable(with_causes(&error))
}

fn answers(responses: Vec<BatchStatementResponse>, expected: usize) -> Vec<Answer> {
    let answer = |response: BatchStatementResponse| {
        response.error.map_or(Answer::Done(Ok(Effect::Written)), failed)
    };
    let mut answers: Vec<_> = responses.into_iter().map(answer).collect();
    answers.resize(expected, Answer::Busy("an answer is missing".to_owned()));
    answers
}

fn failed(error: BatchStatementError) -> Answer {
    let message = error.message.unwrap_or_default();
    let code = error.code.as_ref().map_or("no code", Code::as_str);
    let cause = format!("{code}: {message}");
    match error.code {
        Some(Code::ConditionalCheckFailed | Code::DuplicateItem) => {
            Answer::Done(Ok(Effect::Unchanged))
        }
        Some(Code::ValidationError | Code::ItemCollectionSizeLimitExceeded) => {
            Answer::Done(Err(Failure::Refused(message)))
        }
        // They last until somebody mends them.
        Some(Code::AccessDenied | Code::ResourceNotFound) => {
            Answer::Done(Err(Failure::Unavailable(cause)))
        }
        _ => Answer::Busy(cause),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn error(code: Code) -> BatchStatementResponse {
        let error = BatchStatementError::builder().code(code).build();
        BatchStatementResponse::builder().error(error).build()
    }

    /// Answers `throttled` so many times for the seventh of a hundred, and records the statements.
    async fn run(throttled: usize) -> (Vec<Answer>, Vec<usize>) {
        let calls = RefCell::new(Vec::new());
        let call = |requests: Vec<usize>| {
            let mut calls = calls.borrow_mut();
            calls.push(requests.len());
            let busy = calls.len() <= throttled;
            let code = |request: &usize| {
                let throttled = *request == 7 && busy;
                if throttled {
                    error(Code::ThrottlingError)
                } else {
                    BatchStatementResponse::builder().build()
                }
            };
            let responses = requests.iter().map(code).collect();
            async move { answers(responses, requests.len()) }
        };
        let answers = persist((0..100).collect(), call).await;
        (answers, calls.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn one_throttled_of_a_hundred_is_tried_again_alone() {
        let (answers, calls) = run(5).await;
        assert_eq!(calls, [100, 1, 1, 1, 1, 1]);
        assert!(answers.iter().all(|answer| *answer == Answer::Done(Ok(Effect::Written))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_throttled_is_unavailable_within_bounds() {
        let begun = Instant::now();
        let (answers, calls) = run(usize::MAX).await;
        assert!(begun.elapsed() <= PATIENCE && calls.len() > 8, "{calls:?}");
        assert_eq!(answers[7], Answer::Busy("ThrottlingError: ".to_owned()));
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        let done = |code| match failed(BatchStatementError::builder().code(code).build()) {
            Answer::Done(answer) => {
                Some(answer.map_err(|failure| matches!(failure, Failure::Refused(_))))
            }
            Answer::Busy(_) => None,
        };
        assert_eq!(done(Code::DuplicateItem), Some(Ok(Effect::Unchanged)));
        assert_eq!(done(Code::ValidationError), Some(Err(true)));
        assert_eq!(done(Code::AccessDenied), Some(Err(false)));
        for code in [
            Code::ProvisionedThroughputExceeded,
            Code::InternalServerError,
            Code::TransactionConflict,
        ] {
            assert_eq!(done(code), None);
        }
    }
}
