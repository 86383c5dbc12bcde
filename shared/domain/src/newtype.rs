//! What each type with a text form would otherwise repeat.
//!
//! The macros are exported for the types of other crates, which name `serde` and `schemars` as their
//! dependencies. (The crate `nutype` knows another version of schemars, and has errors of its own.)

/// Implements `JsonSchema`: `schema!(Type, { … })` takes what schemars' `json_schema!` does. Before the
/// type, `inline` writes the schema out wherever it is used; after it, `|generator|` names the generator.
#[macro_export]
macro_rules! schema {
    (inline $name:ident, $schema:tt) => {
        $crate::schema!(@ $name, true, _, $schema);
    };
    ($name:ident, |$generator:ident| $schema:tt) => {
        $crate::schema!(@ $name, false, $generator, $schema);
    };
    ($name:ident, $schema:tt) => {
        $crate::schema!(@ $name, false, _, $schema);
    };
    (@ $name:ident, $inline:literal, $generator:pat_param, $schema:tt) => {
        impl ::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                $inline
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema($generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!($schema)
            }
        }
    };
}

/// Has serde read a type by its `FromStr`, and implements `JsonSchema` as [`schema!`](crate::schema) does.
#[macro_export]
macro_rules! parsed {
    ($name:ident, $schema:tt) => {
        impl TryFrom<String> for $name {
            type Error = <Self as ::std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        $crate::schema!($name, $schema);
    };
}

/// Makes a type of text that is valid by construction: `text!(Type, Error, check, { … })`, with a
/// `check` of type `fn(&str) -> Result<(), Error>` and its schema.
#[macro_export]
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $error:ty, $check:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                let check: fn(&str) -> Result<(), $error> = $check;
                check(&text).map(|()| Self(text))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::schema!($name, $schema);
    };
}
