//! What is said to prompts that hold no script of their own: known prompts have theirs here, all others one sentence.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::script::{self, Step};

/// What is answered to prompts without a script.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    scripts: BTreeMap<String, Vec<Step>>,
    otherwise: Option<String>,
}

impl Lines {
    /// Answers exactly this prompt with the script that stands in `script` (after the word `SCRIPT:`).
    ///
    /// # Errors
    /// The script cannot be read.
    pub fn with(mut self, prompt: &str, script: &str) -> Result<Self> {
        let steps = script::find(script)
            .context("there is no script")?
            .map_err(anyhow::Error::msg)?;
        self.scripts.insert(prompt.trim().to_owned(), steps);
        Ok(self)
    }

    /// Answers every other prompt with this text.
    pub fn otherwise(mut self, text: impl Into<String>) -> Self {
        self.otherwise = Some(text.into());
        self
    }

    pub(crate) fn script(&self, prompt: &str) -> Option<&[Step]> {
        self.scripts.get(prompt.trim()).map(Vec::as_slice)
    }

    pub(crate) fn other(&self) -> Option<&str> {
        self.otherwise.as_deref()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_known_prompt_has_its_script_and_a_broken_script_is_an_error() {
        let lines = Lines::default()
            .with("do it", r#"SCRIPT:[{"text":"a"},{"text":"b"}]"#)
            .unwrap();
        assert_eq!(lines.script(" do it\n").map(<[Step]>::len), Some(2));
        assert!(lines.script("do it now").is_none());
        assert!(Lines::default().with("x", "no script").is_err());
        assert!(
            Lines::default()
                .with("x", r#"SCRIPT:[{"nope":1}]"#)
                .is_err()
        );
    }
}
