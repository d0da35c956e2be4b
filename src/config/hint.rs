//! Did you mean?

use super::problem::Suggestion;

/// Names the candidate that is nearest to a word, if one is near enough to be a slip of the hand.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<Suggestion> {
    let word = word.to_lowercase();
    // A third of the letters may differ: beyond that a guess confuses more than it helps.
    let limit = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&word, &c.to_lowercase()), c))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, c)| Suggestion::Word(c.to_owned()))
}

/// Lists words for people: `a`, `a or b`, `a, b or c`.
pub(super) fn one_of<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_guessed_and_other_words_are_not() {
        let lanes = ["standard", "fast"];
        let word = |word: &str| Some(Suggestion::Word(word.to_owned()));
        assert_eq!(nearest("Fast", lanes), word("fast"));
        assert_eq!(nearest("standart", lanes), word("standard"));
        assert_eq!(nearest("slow", lanes), None);
        assert_eq!(nearest("", lanes), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(one_of(&["a"]), "a");
        assert_eq!(one_of(&["a", "b", "c"]), "a, b or c");
    }
}
