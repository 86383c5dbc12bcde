-- The role that owns the schema, and the right of this user to act as it.
--
-- Since version 16, PostgreSQL lets a user that may create roles administer those that it made, and
-- not act as them, until it grants itself that. A superuser may always.
DO $$
BEGIN
    CREATE ROLE task_app_owner NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

DO $$
BEGIN
    SET LOCAL ROLE task_app_owner;
    RESET ROLE;
EXCEPTION WHEN insufficient_privilege THEN
    BEGIN
        EXECUTE format('GRANT task_app_owner TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION
            'the role task_app_owner was made by another user, who must grant it: '
            'GRANT task_app_owner TO %', quote_ident(current_user)
            USING ERRCODE = 'insufficient_privilege';
    END;
END
$$;
