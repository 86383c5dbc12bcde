-- Puts copies of one tenant's tasks, each unless a later version is there, and begins a new generation
-- of the tenant's list pages if a change is among them that no generation was begun for.
--
-- KEYS[1]: the generation. KEYS[2..]: the tasks. ARGV[1]: for how many milliseconds a copy stays.
-- ARGV[2]: when PostgreSQL was read, in milliseconds since 1970. ARGV[3]: the next generation.
-- ARGV[4]: for how many milliseconds it stays. And for each task: its version, its body, and 1 if the
-- version is a change that may be new to Redis, 0 if it was merely read.
--
-- A copy is a hash: v, the version; b, the body; t, when PostgreSQL was read; c, the last change that
-- a generation was begun for.
local ttl, as_of = tonumber(ARGV[1]), tonumber(ARGV[2])
local is_changed = false
for i = 2, #KEYS do
    local key, version = KEYS[i], tonumber(ARGV[3 * i - 1])
    local body, change = ARGV[3 * i], ARGV[3 * i + 1]
    local cached = redis.call('HMGET', key, 'v', 't', 'c')
    local cached_version = tonumber(cached[1] or -1)
    if change == '1' and tonumber(cached[3] or -1) < version then
        is_changed = true
        redis.call('HSET', key, 'c', ARGV[3 * i - 1])
    end
    if cached_version < version then
        redis.call('HSET', key, 'v', ARGV[3 * i - 1], 'b', body, 't', ARGV[2])
        redis.call('PEXPIRE', key, ttl)
    elseif cached_version == version and tonumber(cached[2] or 0) + ttl / 2 < as_of then
        -- Rarely: each time, the copies in processes are invalidated.
        redis.call('HSET', key, 't', ARGV[2])
        redis.call('PEXPIRE', key, ttl)
    end
end
if is_changed then
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
