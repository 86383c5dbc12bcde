-- Row-level security as a filter. As a plain comparison the policy became another condition of each look-up
-- by the key, and its list of tenants was sorted for each row that was looked up: up to a fifth of a batch's
-- cost. What is compared with a truth value is no condition of an index. Older processes do not notice.

SET LOCAL ROLE task_app_owner;

ALTER POLICY tenants_of_transaction ON tasks
USING ((tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text [])) IS TRUE);
ALTER POLICY tenants_of_transaction ON inbox
USING ((tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text [])) IS TRUE);
ALTER POLICY tenants_of_transaction ON outbox
USING ((tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text [])) IS TRUE);
ALTER POLICY tenants_of_transaction ON attachments
USING ((tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text [])) IS TRUE);

RESET ROLE;
