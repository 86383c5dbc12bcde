//! Messages are put back: each once, in order, as they were sent, whenever the process is killed.

mod canary;
mod edit;
mod effects;
mod fixture;
mod killed;
mod lambda;
mod ledger;
mod order;
mod program;
mod resumed;
mod selection;
mod speed;
mod taken_over;
mod whole;
