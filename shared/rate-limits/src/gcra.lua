-- Counts one request against limits, by GCRA: against all of them, or, if one does not allow it, against
-- none. Each key holds the time at which the last request that was allowed would have come, had all kept
-- an even pace.
--
-- Two ARGV for each key: microseconds between requests at that pace, and how many may come at once. One
-- more, the time in microseconds, is given by tests; Redis's own clock is the one that all callers share.
-- Returns two numbers for each key: whether its limit allows the request (0 or 1), and the microseconds of
-- room that are left.
local now = tonumber(ARGV[2 * #KEYS + 1])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local limits, taken = {}, 1
for index, key in ipairs(KEYS) do
    local interval = tonumber(ARGV[2 * index - 1])
    local capacity = interval * tonumber(ARGV[2 * index])
    -- After a clock went back, or a limit became smaller, nobody waits for longer than for one burst.
    local held = tonumber(redis.call('GET', key) or now)
    local pace = math.min(math.max(held, now), now + capacity)
    local allowed = now + capacity - pace >= interval and 1 or 0
    taken = taken * allowed
    limits[index] = {interval = interval, capacity = capacity, held = held, pace = pace, allowed = allowed}
end
local answer = {}
for index, key in ipairs(KEYS) do
    local limit = limits[index]
    local pace = limit.pace + taken * limit.interval
    if pace ~= limit.held then
        redis.call('SET', key, string.format('%.0f', pace), 'PX', math.ceil((pace - now) / 1000))
    end
    answer[2 * index - 1] = limit.allowed
    answer[2 * index] = now + limit.capacity - pace
end
return answer
