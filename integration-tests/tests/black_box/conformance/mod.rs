//! Conformance: one table of scenarios, each of which must come to the same in a pod and in a Lambda.
//!
//! The function under test (`examples/scripted-handler`) does what each message scripts, and writes
//! down what it did. The pod polls; the Lambda is fed by the tests' own Runtime API and event source
//! mapping. What is compared: the handler's effects in the order of each group, the dead letters, and
//! that nothing is left in the queue. Where the hosts differ, the scenario says how.

mod batching;
mod claim_checks;
mod dead_letter;
mod dead_letters;
mod drain;
mod fifo;
mod fixture;
mod host;
mod long_work;
mod metrics;
mod outage;
mod scenario;
mod traces;
mod verdicts;

pub(crate) use host::Host;

/// A test for each scenario and host, so that they run side by side and fail by name.
macro_rules! in_both_hosts {
    ($($module:ident: $($scenario:ident),+;)+) => {$($(
        mod $scenario {
            use super::{$module, Host};

            #[tokio::test]
            async fn in_a_pod() {
                $module::$scenario(Host::Pod).await;
            }

            #[tokio::test]
            async fn in_a_lambda() {
                $module::$scenario(Host::Lambda).await;
            }
        }
    )+)+};
}

in_both_hosts! {
    verdicts:
        an_ack_deletes,
        a_retry_comes_again,
        a_retry_waits_as_long_as_it_says,
        a_reject_is_a_dead_letter_at_once,
        a_panic_retries_its_own_message_only,
        a_panic_is_in_the_dead_letter,
        the_last_delivery_is_rejected_for_the_last_reason;
    dead_letters:
        a_body_survives_byte_for_byte,
        attributes_survive_and_are_no_more_than_ten,
        a_standard_queue_has_no_groups_to_keep;
    fifo:
        groups_run_side_by_side_and_each_in_order,
        a_retry_holds_back_the_rest_of_its_group_only,
        a_reject_holds_nothing_back,
        a_poison_message_dies_alone,
        a_poison_message_in_a_batch_dies_alone;
    batching:
        each_message_of_a_batch_has_its_own_verdict,
        a_retry_in_a_batch_holds_back_its_group,
        a_batch_may_be_larger_than_a_receive,
        a_wrong_number_of_verdicts_retries_the_batch,
        a_wrong_number_of_verdicts_is_in_the_dead_letter;
    long_work:
        work_longer_than_the_visibility_is_done_once,
        work_that_hangs_is_cut_off_and_retried,
        work_that_hangs_to_the_end_is_in_the_dead_letter;
    drain:
        what_has_begun_is_finished_and_nothing_is_lost;
    claim_checks:
        a_body_comes_from_s3,
        a_claim_that_cannot_be_right_is_a_dead_letter_with_its_small_body,
        without_a_bucket_no_claim_is_followed,
        while_s3_is_unavailable_a_claim_waits_and_costs_a_delivery,
        a_body_is_deleted_after_its_message_if_configured_and_in_a_pod,
        no_version_of_a_deleted_body_is_left,
        a_body_waits_for_memory_and_costs_no_message;
    traces:
        a_dead_letter_names_its_senders_trace;
    metrics:
        what_is_counted_has_the_same_names_and_values;
    outage:
        an_outage_costs_a_message_two_deliveries;
}
