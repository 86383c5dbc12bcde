-- A batch that is written in one round trip is its own transaction, and nobody can roll it back. So if only a
-- part of it is new, its statement ends by this error, as transactions do that others were faster than: it is
-- undone, and run again with what is known then. Expand only: older processes do not notice.

SET LOCAL ROLE task_app_owner;

CREATE FUNCTION refuse_part() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'serialization_failure',
        MESSAGE = 'a part of the batch was written before',
        HINT = 'The batch is undone, and applied again with what is known of it.';
END
$$;

REVOKE EXECUTE ON FUNCTION refuse_part() FROM public;
GRANT EXECUTE ON FUNCTION refuse_part() TO task_app_writer;

RESET ROLE;
