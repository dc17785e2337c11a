//! How often a question was asked whose script says that it fails a number of times: the one thing that is remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::answer::Answer;

/// The tries so far.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<HashMap<String, usize>>);

impl Tries {
    /// Counts a try where the answer rests on it, and gives the answer for this one.
    pub fn settle(&self, mut answer: Answer) -> Answer {
        let Some(at_last) = answer.at_last.take() else {
            return answer;
        };
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = tries.entry(at_last.question).or_default();
        *tried += 1;
        match *tried > at_last.tries {
            true => at_last.answer,
            false => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::AtLast;

    fn asked(question: &str, tries: Option<usize>) -> Answer {
        let mut answer = Answer::full(500, "a/b", "");
        answer.at_last = tries.map(|tries| {
            Box::new(AtLast {
                question: question.to_owned(),
                tries,
                answer: Answer::full(200, "a/b", ""),
            })
        });
        answer
    }

    #[test]
    fn each_question_fails_as_often_as_its_script_says() {
        let tries = Tries::default();
        let status = |question, times| tries.settle(asked(question, times)).status;
        assert_eq!([0; 3].map(|_| status("a", Some(2))), [500, 500, 200]);
        assert_eq!([0; 3].map(|_| status("b", Some(1))), [500, 200, 200]);
        assert_eq!([0; 3].map(|_| status("a", None)), [500, 500, 500]);
    }
}
