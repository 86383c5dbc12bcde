-- Counts requests against limits, by GCRA: as many as all of them allow, and none if one allows none. Each
-- key holds the time at which the last request that was allowed would have come, had all kept an even
-- pace.
--
-- The first ARGV is how many requests to count at most. Two follow for each key: microseconds between
-- requests at that pace, and how many may come at once. One more, the time in microseconds, is given by
-- tests; Redis's own clock is the one that all callers share. Returns how many requests were counted, and
-- two numbers for each key: whether its limit allows a request (0 or 1), and the microseconds of room that
-- are left.
local now = tonumber(ARGV[2 * #KEYS + 2])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local limits, taken = {}, tonumber(ARGV[1])
for index, key in ipairs(KEYS) do
    local interval = tonumber(ARGV[2 * index])
    local capacity = interval * tonumber(ARGV[2 * index + 1])
    -- After a clock went back, or a limit became smaller, nobody waits for longer than for one burst.
    local held = tonumber(redis.call('GET', key) or now)
    local pace = math.min(math.max(held, now), now + capacity)
    local allowed = math.floor((now + capacity - pace) / interval)
    taken = math.min(taken, allowed)
    limits[index] = {interval = interval, capacity = capacity, held = held, pace = pace, allowed = math.min(allowed, 1)}
end
local answer = {taken}
for index, key in ipairs(KEYS) do
    local limit = limits[index]
    local pace = limit.pace + taken * limit.interval
    if pace ~= limit.held then
        redis.call('SET', key, string.format('%.0f', pace), 'PX', math.ceil((pace - now) / 1000))
    end
    answer[2 * index] = limit.allowed
    answer[2 * index + 1] = now + limit.capacity - pace
end
return answer
