//! W3C Trace Context, as far as messages carry it.

/// The trace context if it is well-formed, in version 00; a malformed one says nothing.
///
/// Shape: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, lower case, ids not all zero. See
/// <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[must_use]
pub fn traceparent(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let version = parts.next().is_some_and(|version| version == "00");
    let trace = parts.next().is_some_and(|trace| is_id(trace, 32));
    let parent = parts.next().is_some_and(|parent| is_id(parent, 16));
    let flags = parts.next().is_some_and(|flags| is_hex(flags, 2));
    (version && trace && parent && flags && parts.next().is_none()).then_some(text)
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_context_counts() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), Some(good));
        for bad in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
    }
}
