//! Many small writes in few requests, each with a condition and an answer of its own.
//!
//! `BatchWriteItem` knows no conditions, and a transaction fails as a whole. A batch of `PartiQL`
//! statements has both: see <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html>.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{BatchStatementError, BatchStatementResponse};
use aws_sdk_dynamodb::types::{BatchStatementErrorCodeEnum as Code, BatchStatementRequest};
use futures::{StreamExt as _, stream};

/// Most statements in one request, by DynamoDB.
const STATEMENTS: usize = 25;
/// Requests at a time.
const CONCURRENCY: usize = 4;

/// Why something was not written, or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// DynamoDB is away or too busy: try again.
    #[error("DynamoDB is not available: {0}")]
    Unavailable(String),
    /// DynamoDB will never take it.
    #[error("DynamoDB refuses it: {0}")]
    Refused(String),
}

/// A write of one item.
pub(crate) struct Statement {
    /// Tells the item from others.
    pub(crate) item: String,
    pub(crate) request: BatchStatementRequest,
}

/// Executes statements; one answer each, in order. One whose condition does not hold has nothing to
/// do, and is a success. Of several that write the same item, which `DynamoDB` would refuse in one
/// request, the first is executed, and its answer is theirs too.
pub(crate) async fn execute(
    client: &Client,
    statements: Vec<Result<Statement, Failure>>,
) -> Vec<Result<(), Failure>> {
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
    let answers = execute_all(client, &requests).await;
    let answer = |place: usize| answers.get(place).cloned().unwrap_or_else(missing);
    planned.into_iter().map(|place| place.and_then(answer)).collect()
}

async fn execute_all(
    client: &Client,
    requests: &[BatchStatementRequest],
) -> Vec<Result<(), Failure>> {
    let requests = requests.chunks(STATEMENTS).map(|chunk| async move {
        let request = client.batch_execute_statement().set_statements(Some(chunk.to_vec()));
        match request.send().await {
            Ok(answer) => answers(answer.responses.unwrap_or_default(), chunk.len()),
            Err(error) => vec![Err(unavailable(error)); chunk.len()],
        }
    });
    let requests: Vec<_> = requests.collect();
    stream::iter(requests).buffered(CONCURRENCY).concat().await
}

fn missing() -> Result<(), Failure> {
    Err(Failure::Unavailable("an answer is missing".to_owned()))
}

/// A whole request that failed: even one that DynamoDB refuses, such as for a missing right, can be
/// mended without a change of its contents.
pub(crate) fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: E) -> Failure {
    Failure::Unavailable(DisplayErrorContext(error).to_string())
}

fn answers(responses: Vec<BatchStatementResponse>, expected: usize) -> Vec<Result<(), Failure>> {
    let mut answers: Vec<_> =
        responses.into_iter().map(|response| response.error.map_or(Ok(()), failed)).collect();
    answers.resize_with(expected, missing);
    answers
}

fn failed(error: BatchStatementError) -> Result<(), Failure> {
    let message = error.message.unwrap_or_default();
    match error.code {
        Some(Code::ConditionalCheckFailed | Code::DuplicateItem) => Ok(()),
        Some(Code::ValidationError | Code::ItemCollectionSizeLimitExceeded) => {
            Err(Failure::Refused(message))
        }
        code => {
            let code = code.as_ref().map_or("no code", Code::as_str);
            Err(Failure::Unavailable(format!("{code}: {message}")))
        }
    }
}
