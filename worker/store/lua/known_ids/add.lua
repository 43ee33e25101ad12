-- with known_ids/filter.part
-- Add ids to the filter of known ids.
-- KEYS 1 bits   2 hash: `stage` that is being filled, `count` of ids in it
-- ARGV 1 and 2, 3 and 4 ... two numbers of 32 bits for each id
local stage = tonumber(redis.call('HGET', KEYS[2], 'stage') or '0')
for i = 1, #ARGV, 2 do
  local one, other = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if not may_be_known(KEYS[1], stage, one, other) then
    local start, size = 0, FIRST * BITS
    for _ = 1, stage do
      start, size = start + size, size * GROWTH
    end
    for n = 0, PLACES - 1 do
      redis.call('SETBIT', KEYS[1], string.format('%.0f', start + (one + n * other) % size), 1)
    end
    if redis.call('HINCRBY', KEYS[2], 'count', 1) >= FIRST * GROWTH ^ stage then
      stage = stage + 1
      redis.call('HSET', KEYS[2], 'stage', stage, 'count', 0)
    end
  end
end
