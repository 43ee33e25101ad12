-- Keep a sample of a minute, once. What was put for a time that has not come is taken out when the clock was set back.
-- KEYS 1 samples (stream)
-- ARGV 1 the minute (ms)   2 the sample   3 how many are kept
-- The time is in the id, so a minute has one sample. Redis before 7 makes no number after a time of ours.
local minute = tonumber(ARGV[1])

local function newest()
  local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return entry and tonumber(entry[1]:match('^%d+')) or 0
end

if newest() >= minute then
  local clock = redis.call('TIME')
  local future = redis.call('XRANGE', KEYS[1], string.format('%.0f', math.max(clock[1] * 1000 + 1, minute)), '+')
  for _, entry in ipairs(future) do
    redis.call('XDEL', KEYS[1], entry[1])
  end
  if newest() >= minute then
    -- Whoever puts it was held up, and others have gone on.
    return
  end
  if #future > 0 then
    redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
  end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-1', 'sample', ARGV[2])
