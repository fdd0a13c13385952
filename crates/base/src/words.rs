//! Enums of words: each variant has a word of its own, by which files, tables and people know it.

/// Makes an enum whose variants have words: `words! { pub enum Colour { Red = "red", Blue = "blue", } }`. It can be copied, compared
/// and hashed; further derives are written before it.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$says:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$says])* $variant,)*
        }

        impl $name {
            /// Every one, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The inverse of [`Self::word`].
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }

            /// The one of this number, as tables have it. [`Class::Damaged`]($crate::Class::Damaged) when there is none.
            pub fn from_number(number: i64) -> $crate::Result<Self> {
                let found = usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied());
                found.ok_or_else(|| $crate::Error::damaged(format!("{} {number}", stringify!($name))))
            }
        }
    };
}
