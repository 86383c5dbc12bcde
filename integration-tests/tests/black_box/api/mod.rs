//! The API as its callers have it: each promise is kept by a pod, by a Lambda behind API Gateway's HTTP
//! API, and by a Lambda behind a load balancer.

mod auth;
mod below;
mod bulk;
mod concurrency;
mod contract;
mod edge;
mod errors;
mod fixture;
mod idempotency;
mod limits;
mod listing;
mod reads;
mod resources;
mod running_function;

pub(crate) use running_function::Entry;

/// A test for each scenario and entry, so that they run side by side and fail by name.
macro_rules! by_every_entry {
    ($($module:ident: $($scenario:ident),+;)+) => {$($(
        mod $scenario {
            use super::{$module, Entry};

            #[tokio::test]
            async fn by_a_pod() {
                $module::$scenario(Entry::Pod).await;
            }

            #[tokio::test]
            async fn by_a_gateway() {
                $module::$scenario(Entry::Gateway).await;
            }

            #[tokio::test]
            async fn by_a_load_balancer() {
                $module::$scenario(Entry::LoadBalancer).await;
            }
        }
    )+)+};
}

by_every_entry! {
    resources:
        a_task_lives,
        a_task_is_assigned_cancelled_and_reopened,
        an_accepted_write_is_answered_by_its_operation;
    below:
        a_history_is_read_in_pages,
        attachments_are_announced_and_deleted;
    contract:
        everybody_gets_the_document_and_nobody_gets_it_twice,
        the_page_runs_its_own_script_and_loads_nothing_from_elsewhere;
    edge:
        every_address_has_the_base_path,
        pages_of_allowed_origins_may_send_requests;
    concurrency:
        what_the_caller_has_is_not_sent_again,
        a_change_may_depend_on_a_version,
        no_condition_is_ignored,
        a_change_must_name_a_version_where_that_is_configured;
    idempotency:
        a_repeat_gets_the_first_result,
        a_key_belongs_to_one_request,
        a_key_belongs_to_its_caller;
    listing:
        lists_are_filtered_sorted_and_paged,
        a_title_is_found_however_its_letters_are_composed,
        words_of_a_letter_or_two_are_found,
        cursors_lead_on_in_their_own_list_only,
        hostile_filters_find_nothing_and_change_nothing;
    bulk:
        each_task_has_an_outcome_of_its_own,
        a_repeated_batch_gets_the_first_results,
        a_hundred_tasks_are_one_request_and_more_are_refused_as_a_whole;
    limits:
        a_tenant_over_its_limit_gets_429_and_no_other_does,
        a_caller_over_its_share_gets_429_and_its_tenant_goes_on,
        each_operation_has_the_limit_of_its_class,
        without_redis_everybody_is_let_in_and_counted;
    reads:
        large_pages_go_compressed_to_who_accepts_that,
        a_task_goes_as_the_bytes_that_its_tag_names,
        a_page_that_the_caller_has_is_not_sent_again,
        what_was_not_there_is_read_as_soon_as_it_is,
        each_line_of_the_log_has_tenant_caller_and_cache;
    errors:
        errors_are_precise,
        what_is_not_there_is_reported;
    auth:
        a_refused_caller_gets_the_reason,
        a_tenant_never_sees_anothers_task;
}
