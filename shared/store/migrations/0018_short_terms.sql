-- Searches for texts that have no three letters in a row, such as `QA` and `会議`. The index of trigrams knows
-- whole words, however short, and no part of a word that is shorter than three letters. In Chinese,
-- Japanese and Korean such a part may be a word. So titles with letters of these scripts have terms, and
-- an index of these. Other titles cost no more than a look at their letters.
-- Expand only: older processes do not notice.

SET LOCAL ROLE task_app_owner;

-- One letter of Chinese, Japanese or Korean, as a regular expression; `store::list::search` has the same.
CREATE FUNCTION cjk_letter() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '[\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f'
|| '\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff'
|| '\uff66-\uffdc\U00020000-\U0003ffff]';

-- The title if it has such a letter. PostgreSQL puts its body wherever it is used, so that an index
-- that names it calls no function for other titles.
CREATE FUNCTION cjk_title(title text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN title ~ cjk_letter() THEN title END;

-- Each such letter, each two of them in a row, whatever is between, and the words of one or two others.
-- A dump restores it without a search path, so it names the schema.
CREATE FUNCTION short_terms(title text) RETURNS text [] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    others text := regexp_replace(lower(title), public.cjk_letter(), ' ', 'g');
    words text [] := regexp_split_to_array(others, '([^[:alnum:]]|[[:alnum:]]{3,})+');
    letters text [] := string_to_array(
        regexp_replace(title, '[^' || substr(public.cjk_letter(), 2), '', 'g'), NULL
    );
    terms text [] := letters || array_remove(words, '');
BEGIN
    FOR place IN 2 .. cardinality(letters) LOOP
        terms := array_append(terms, letters[place - 1] || letters[place]);
    END LOOP;
    RETURN terms;
END
$$;

-- PostgreSQL does not use what it knows of the values of an index that has a condition.
CREATE STATISTICS tasks_short_terms ON (short_terms(cjk_title(title))) FROM tasks;
-- Some seconds, in which others read and write. Without it, the first searches would be planned badly.
ANALYZE tasks;

RESET ROLE;
