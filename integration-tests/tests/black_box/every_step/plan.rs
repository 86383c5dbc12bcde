//! What is to fail, and what has.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::support::system::eventually;

/// A request that a function makes of a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it is, without what changes from run to run.
    pub(crate) label: String,
    /// Whether there was one like it before.
    pub(crate) again: bool,
    /// Whether the function waits for an answer before it says more.
    pub(crate) answered: bool,
}

impl Step {
    pub(crate) fn new(label: String, answered: bool) -> Self {
        Self { label, again: false, answered }
    }
}

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed, and the dependency never gets the step.
    Unheard,
    /// The dependency does the step; the connection is closed before the answer arrives.
    Unanswered,
    /// The dependency answers 503 to so many of these steps in a row, and does nothing. HTTP only.
    Refused(usize),
}

/// More than the SDK's own attempts of two calls, so that the function's own handling is seen.
pub(crate) const OUTAGE: Fault = Fault::Refused(6);

/// One fault at one step. Clones are of the same plan.
#[derive(Clone)]
pub(crate) struct Plan(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    said: Vec<Step>,
    fault: Option<(Step, Fault)>,
    failed: usize,
}

impl Plan {
    /// Nothing fails.
    pub(crate) fn undisturbed() -> Self {
        Self(Arc::default())
    }

    /// `None` where the fault makes no difference: nobody waits for an answer.
    pub(crate) fn new(step: &Step, fault: Fault) -> Option<Self> {
        if fault == Fault::Unanswered && !step.answered {
            return None;
        }
        let state = State { fault: Some((step.clone(), fault)), ..State::default() };
        Some(Self(Arc::new(Mutex::new(state))))
    }

    /// A commit whose answer is lost.
    pub(crate) fn lost_commit() -> Self {
        let commit = Step::new("Query: COMMIT".to_owned(), true);
        Self::new(&commit, Fault::Unanswered).expect("it is answered")
    }

    /// What was said, each once, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for step in &self.state().said {
            if !steps.contains(step) {
                steps.push(step.clone());
            }
        }
        steps
    }

    /// Notes that `step` is about to happen; says how it fails, if it does.
    pub(crate) fn meet(&self, mut step: Step) -> Option<Fault> {
        let mut state = self.state();
        step.again = state.said.iter().any(|said| said.label == step.label);
        let is_it = |at: &Step| at.label == step.label && (step.again || !at.again);
        let fault = state.fault.as_ref().filter(|(at, _)| is_it(at)).map(|(_, fault)| *fault);
        state.said.push(step);
        let fault = fault?;
        let times = if let Fault::Refused(times) = fault { times } else { 1 };
        if state.failed == times {
            return None;
        }
        state.failed += 1;
        Some(fault)
    }

    /// Waits until the step has failed.
    pub(crate) async fn has_happened(&self) {
        let failed = async || {
            let state = self.state();
            (state.fault.is_none() || state.failed > 0).then_some(())
        };
        eventually(&format!("the step comes, and fails: {self}"), failed).await;
    }

    /// Waits until the function has made such a request.
    pub(crate) async fn has_met(&self, label: &str) {
        let met = async || self.state().said.iter().any(|step| step.label == label).then_some(());
        eventually("the step comes", met).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state().fault {
            None => write!(f, "nothing failed"),
            Some((step, fault)) => {
                let which = if step.again { "the second" } else { "the first" };
                write!(f, "{fault:?}: {which} {}", step.label)
            }
        }
    }
}
