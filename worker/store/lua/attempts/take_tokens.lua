-- Take tokens from an endpoint's bucket, which fills at its rate and holds a second's worth, at least one.
-- KEYS 1 bucket hash
-- ARGV 1 now (ms)   2 rate (tokens a second)   3 how many the caller could use
-- Returns {tokens granted, ms until there is one}.
local now, rate, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local capacity = math.max(1, rate)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(bucket[1] or capacity)
tokens = math.min(capacity, tokens + math.max(0, now - tonumber(bucket[2] or now)) * rate / 1000)
local granted = math.max(0, math.min(most, math.floor(tokens)))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', ARGV[1])
return {granted, math.ceil(math.max(0, 1 - tokens) * 1000 / rate)}
