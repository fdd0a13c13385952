//! Matching mailbox names against LIST patterns (RFC 9051 §6.3.9).

/// A pattern of LIST or LSUB, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPattern {
    steps: Vec<Step>,
    separator: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// This character.
    Char(char),
    /// `%`: any number of characters, none of them a separator.
    Level,
    /// `*`: any number of characters.
    Any,
}

impl ListPattern {
    /// The pattern, put behind its reference name.
    pub fn new(reference: &str, pattern: &str, separator: char) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for c in reference.chars().chain(pattern.chars()) {
            match c {
                '*' => {
                    while steps.last().is_some_and(|step| !matches!(step, Step::Char(_))) {
                        steps.pop();
                    }
                    steps.push(Step::Any);
                }
                '%' if matches!(steps.last(), Some(Step::Any | Step::Level)) => {}
                '%' => steps.push(Step::Level),
                c => steps.push(Step::Char(c)),
            }
        }
        Self { steps, separator }
    }

    /// Whether the name matches. `INBOX`, alone or as the first level, matches in any case. Takes time proportional
    /// to the length of the name times that of the pattern, whatever they are.
    pub fn matches(&self, name: &str) -> bool {
        self.read(name)[self.steps.len()]
    }

    /// For each number of steps whether so many can match the name.
    fn read(&self, name: &str) -> Vec<bool> {
        let first_level = name.split(self.separator).next().unwrap_or_default();
        let folded = if first_level.eq_ignore_ascii_case("INBOX") { first_level.len() } else { 0 };
        // reached[i]: the first i steps can match what was read of the name.
        let mut reached = vec![false; self.steps.len() + 1];
        reached[0] = true;
        self.skip_wildcards(&mut reached);
        for (at, c) in name.char_indices() {
            let mut next = vec![false; reached.len()];
            for (i, step) in self.steps.iter().enumerate().filter(|(i, _)| reached[*i]) {
                match step {
                    Step::Any => next[i] = true,
                    Step::Level => next[i] |= c != self.separator,
                    Step::Char(wanted) => {
                        let same = *wanted == c || (at < folded && wanted.eq_ignore_ascii_case(&c));
                        next[i + 1] |= same;
                    }
                }
            }
            self.skip_wildcards(&mut next);
            reached = next;
            if !reached.contains(&true) {
                break;
            }
        }
        reached
    }

    /// Whether this name, or one below it, could match: whether the pattern is not at its end in vain when the name and a separator
    /// were read.
    pub fn reaches(&self, name: &str) -> bool {
        self.matches(name) || self.read(&format!("{name}{}", self.separator)).contains(&true)
    }

    /// A wildcard may also match nothing.
    fn skip_wildcards(&self, reached: &mut [bool]) {
        for (i, step) in self.steps.iter().enumerate() {
            if reached[i] && !matches!(step, Step::Char(_)) {
                reached[i + 1] = true;
            }
        }
    }
}
