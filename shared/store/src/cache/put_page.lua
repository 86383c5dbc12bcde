-- Puts a page of a list, unless one of the same generation is there that is as young.
--
-- KEYS[1]: the page. ARGV[1]: its generation. ARGV[2]: when PostgreSQL was read, in milliseconds since
-- 1970. ARGV[3]: the page as JSON. ARGV[4]: for how many milliseconds it stays.
local held = redis.call('HMGET', KEYS[1], 'g', 't')
if held[1] == ARGV[1] and tonumber(held[2] or 0) >= tonumber(ARGV[2]) then
    return
end
redis.call('HSET', KEYS[1], 'g', ARGV[1], 't', ARGV[2], 'b', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
