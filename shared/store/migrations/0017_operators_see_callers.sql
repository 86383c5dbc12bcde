-- Operators see whose a request was: under one idempotency key two callers have a command each, and what became
-- of one says nothing of the other. Expand only: older processes do not notice.

SET LOCAL ROLE task_app_owner;

GRANT SELECT (caller) ON inbox TO task_app_operator;

RESET ROLE;
