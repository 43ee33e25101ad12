-- Take tokens from an endpoint's bucket, which fills at its rate and holds a second's worth, at least one.
-- KEYS 1 bucket hash
-- ARGV 1 now (ms)   2 rate (tokens a second)   3 how many are wanted
-- Returns {tokens given, ms until there is one}.
local now, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most = math.max(1, rate)
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(held[1] or most)
tokens = math.min(most, tokens + math.max(0, now - tonumber(held[2] or now)) * rate / 1000)
local given = math.max(0, math.min(wanted, math.floor(tokens)))
tokens = tokens - given
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', ARGV[1])
return {given, math.ceil(math.max(0, 1 - tokens) * 1000 / rate)}
