-- Counts one request against a limit, by GCRA: KEYS[1] holds the time at which the last request that
-- was allowed would have come, had all kept an even pace.
--
-- ARGV[1]: microseconds between requests at that pace. ARGV[2]: how many may come at once.
-- ARGV[3]: the time in microseconds, which tests give; Redis's own clock is the one that all callers
-- share. Returns whether the request is allowed (0 or 1), and the microseconds of room that are left.
local interval = tonumber(ARGV[1])
local capacity = interval * tonumber(ARGV[2])
local now = tonumber(ARGV[3])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
-- After a clock went back, or a limit became smaller, nobody waits for longer than for one burst.
local held = tonumber(redis.call('GET', KEYS[1]) or now)
local pace = math.min(math.max(held, now), now + capacity)
local allowed = now + capacity - pace >= interval and 1 or 0
pace = pace + allowed * interval
if pace ~= held then
    redis.call('SET', KEYS[1], string.format('%.0f', pace), 'PX', math.ceil((pace - now) / 1000))
end
return {allowed, now + capacity - pace}
