//! The page's words, one table per language, complete by compilation: a text missing in
//! one language does not build. The tables are in `locales/`.

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Spanish,
}

impl Language {
    /// Every language there is.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// BCP 47.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// Its own name for itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    /// The nearest to a BCP 47 tag; English when there is none.
    pub(crate) fn from_code(code: &str) -> Self {
        let primary = code.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
            .unwrap_or(Self::English)
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &EN,
            Self::Spanish => &ES,
        }
    }
}

/// Declares the table, with its English texts.
macro_rules! texts {
    ($($key:ident: $text:literal,)*) => {
        /// Every text of the page; `{name}` stands for what is filled in.
        pub(crate) struct Texts {
            $(pub(crate) $key: &'static str,)*
        }

        impl PartialEq for Texts {
            /// There is one table per language.
            fn eq(&self, other: &Self) -> bool {
                std::ptr::eq(self, other)
            }
        }

        /// English.
        pub(crate) static EN: Texts = Texts { $($key: $text,)* };

        #[cfg(test)]
        impl Texts {
            fn pairs(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($key), self.$key),)*]
            }
        }
    };
}

include!("../locales/en.rs");
include!("../locales/es.rs");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn blanks(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect()
    }

    #[test]
    fn both_languages_fill_in_the_same_things_and_say_something() {
        for ((key, english), (_, spanish)) in EN.pairs().into_iter().zip(ES.pairs()) {
            assert!(!english.is_empty() && !spanish.is_empty(), "{key}");
            assert_eq!(blanks(english), blanks(spanish), "{key}");
        }
    }

    #[test]
    fn a_language_is_found_by_its_primary_tag() {
        assert_eq!(Language::from_code("es-MX"), Language::Spanish);
        assert_eq!(Language::from_code("ES"), Language::Spanish);
        assert_eq!(Language::from_code("fr"), Language::English);
        assert_eq!(Language::from_code(""), Language::English);
    }
}
