//! Whether DynamoDB or S3 answers: what a function declares as its dependency.
//!
//! Any answer but a fault of the service's own, or throttling, will do. Each role may call only what it
//! needs for its work; what it is not allowed, or what is not there, was answered all the same, and
//! waiting would not mend it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use causes::with_causes;

/// As DynamoDB, which says it with status 400, and S3 call it.
const THROTTLED: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
];

/// What went wrong, if the service did not answer.
pub(crate) fn unanswered<E>(error: &SdkError<E>) -> Option<String>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let is_throttled = error.code().is_some_and(|code| THROTTLED.contains(&code));
    let status = error.raw_response().map(|response| response.status().as_u16());
    let is_answer = matches!(status, Some(200..=428 | 430..=499)) && !is_throttled;
    (!is_answer).then(|| with_causes(error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    #[test]
    fn an_answer_is_what_waiting_would_not_mend() {
        for (status, code, expected) in [
            (400_u16, "ResourceNotFoundException", true),
            (400, "AccessDeniedException", true),
            (403, "", true),
            (404, "", true),
            (400, "ThrottlingException", false),
            (429, "", false),
            (500, "InternalServerError", false),
            (503, "SlowDown", false),
        ] {
            let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
            let unanswered = unanswered(&SdkError::service_error(error, response));
            assert_eq!(unanswered.is_none(), expected, "{status} {code}");
        }
        let silent = SdkError::<GetItemError>::timeout_error("no answer");
        assert!(unanswered(&silent).is_some());
    }
}
