-- Count a request in windows of time, each with its own limit; a request over a limit is counted in none.
-- KEYS 1.. counters
-- ARGV 1 seconds of a window   2.. the limit of each counter
-- Returns 0, or the number of the counter that is full.
for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[i + 1]) then
    return i
  end
end
for i = 1, #KEYS do
  if redis.call('INCR', KEYS[i]) == 1 then
    redis.call('EXPIRE', KEYS[i], ARGV[1])
  end
end
return 0
