//! The types of problems: what stays the same each time that one occurs.
//!
//! A problem cannot be answered without its type, and a type cannot be had without saying when it
//! occurs and what to do about it: so what is written about problems is complete.

use axum::http::StatusCode;

/// A type of problem. A client matches on [`urn`](Self::urn), which never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// The status of the response.
    pub status: StatusCode,
    /// The last part of the URN.
    pub slug: &'static str,
    /// Its name, for people.
    pub title: &'static str,
    /// When it occurs: a sentence.
    pub when: &'static str,
    /// What a client is to do about it: a sentence or two.
    pub remedy: &'static str,
}

impl ProblemType {
    /// The member `type`: `urn:problem:<slug>`.
    #[must_use]
    pub fn urn(&self) -> String {
        format!("urn:problem:{}", self.slug)
    }
}

/// Declares a module's problem types, and `ALL`, the list of them.
///
/// ```
/// mod problems {
///     runtime::problem_types! {
///         /// It is raining.
///         RAIN: IM_A_TEAPOT "rain" "Rain", "It is raining.", "Wait for the sun.";
///     }
/// }
///
/// assert_eq!(problems::ALL, [&problems::RAIN]);
/// assert_eq!(problems::RAIN.urn(), "urn:problem:rain");
/// ```
#[macro_export]
macro_rules! problem_types {
    ($($(#[$doc:meta])+ $name:ident: $status:ident $slug:literal $title:literal,
        $when:literal, $remedy:literal;)+) => {
        $($(#[$doc])+
        pub const $name: $crate::http::ProblemType = $crate::http::ProblemType {
            status: $crate::http::StatusCode::$status,
            slug: $slug,
            title: $title,
            when: $when,
            remedy: $remedy,
        };)+

        /// Every type that is declared here.
        pub const ALL: &[&$crate::http::ProblemType] = &[$(&$name),+];
    };
}
