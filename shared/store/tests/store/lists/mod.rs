//! Lists of tasks: against a model, and how PostgreSQL reads them.

mod bytes;
mod model;
mod paging;
mod plans;
mod random;
mod rows;
mod titles;
