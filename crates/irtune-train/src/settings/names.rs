//! Settings whose values are names.

/// An enum whose variants are written and read as names in snake case, and the error that any other name is.
macro_rules! names {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident { $($variants:tt)* }

        $(#[$unknown_attribute:meta])*
        pub struct $unknown:ident;
    ) => {
        $(#[$attribute])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            Default,
            serde::Serialize,
            serde::Deserialize,
            strum::Display,
            strum::EnumString,
            strum::VariantArray,
            strum::VariantNames,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case", parse_err_ty = $unknown, parse_err_fn = $unknown::new)]
        pub enum $name { $($variants)* }

        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        $(#[$unknown_attribute])*
        pub struct $unknown {
            /// What was given.
            pub name: String,
        }

        impl $unknown {
            fn new(name: &str) -> Self {
                Self { name: name.to_owned() }
            }
        }
    };
}

pub(crate) use names;
