//! What an error says, with its causes, for people: operators read it in logs, ledgers and dead letters.
//!
//! The errors of the AWS SDK say little themselves (`service error`), their causes say it twice, and the one
//! that knows what AWS answered says it as the fields of a Rust type. The SDK's own `DisplayErrorContext` adds
//! all of its types. Here it is what AWS answered: `AccessDenied: no permission`.

use std::error::Error;

use aws_smithy_types::error::ErrorMetadata;

/// What an error says, and what each of its causes adds.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = match cause.downcast_ref::<ErrorMetadata>() {
            Some(answer) => answered(answer),
            None => cause.to_string(),
        };
        let is_new = texts.last() != Some(&text);
        if is_new && !text.is_empty() && !says_nothing(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

/// The code and the message that AWS answered, as far as it did.
fn answered(answer: &ErrorMetadata) -> String {
    let parts: Vec<_> = answer.code().into_iter().chain(answer.message()).collect();
    parts.join(": ")
}

/// Whether it only says that something else is the cause.
fn says_nothing(text: &str) -> bool {
    matches!(text, "service error" | "unhandled error" | "dispatch failure" | "response error")
        || text.starts_with("unhandled error (")
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use aws_sdk_s3::error::{ConnectorError, SdkError};
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_sdk_s3::primitives::SdkBody;
    use aws_sdk_sqs::operation::send_message::SendMessageError;
    use aws_sdk_sqs::types::error::QueueDoesNotExist;

    use super::*;

    #[derive(Debug)]
    struct Wrapped<E>(&'static str, E);

    impl<E> fmt::Display for Wrapped<E> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl<E: Error + 'static> Error for Wrapped<E> {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    fn answer<E>(error: E) -> SdkError<E, aws_sdk_s3::config::http::HttpResponse> {
        let status =
            aws_sdk_s3::config::http::HttpResponse::new(403.try_into().unwrap(), SdkBody::empty());
        SdkError::service_error(error, status)
    }

    #[test]
    fn what_aws_answered_is_said_once_and_without_the_types_of_the_sdk() {
        let denied = ErrorMetadata::builder().code("AccessDenied").message("no permission");
        let denied = answer(GetObjectError::generic(denied.build()));
        assert_eq!(with_causes(&denied), "AccessDenied: no permission");
        let wrapped = Wrapped("reading s3://b/k", denied);
        assert_eq!(with_causes(&wrapped), "reading s3://b/k: AccessDenied: no permission");
        let missing = QueueDoesNotExist::builder().message("there is none").build();
        let missing = answer(SendMessageError::QueueDoesNotExist(missing));
        assert_eq!(with_causes(&missing), "QueueDoesNotExist: there is none");
    }

    #[test]
    fn an_answer_without_words_is_still_an_error() {
        let silent = answer(GetObjectError::generic(ErrorMetadata::builder().build()));
        assert_eq!(with_causes(&silent), "service error");
    }

    #[test]
    fn what_did_not_reach_aws_says_why() {
        let refused = std::io::Error::other("connection refused");
        let refused = ConnectorError::io(Box::new(refused));
        let refused: SdkError<GetObjectError> = SdkError::dispatch_failure(refused);
        assert_eq!(with_causes(&refused), "io error: connection refused");
        let late: SdkError<GetObjectError> = SdkError::timeout_error("3 s");
        assert_eq!(with_causes(&late), "request has timed out: 3 s");
    }

    #[test]
    fn another_error_says_all_of_it() {
        let causes =
            Wrapped("the editor", Wrapped("starting it", std::io::Error::other("no memory")));
        assert_eq!(with_causes(&causes), "the editor: starting it: no memory");
    }
}
