-- Find what of the articles that have left a feed an endpoint still holds, the oldest first.
-- KEYS 1 those that have left (killed or left)   2 states   3 ledger of the endpoint
-- ARGV 1 after which change   2 how many are looked at, at the most   3 1: it may hold what the ledger does not say
-- Returns {change up to which it was looked, or 0 when that was all; article, change, state, what the ledger says, ...}.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answer = {0}
if #found == 0 then
  return answer
end
if #found == 2 * ARGV[2] then
  answer[1] = tonumber(found[#found])
end
local ids = {}
for i = 1, #found, 2 do
  ids[#ids + 1] = found[i]
end
local entries = redis.call('HMGET', KEYS[3], unpack(ids))
for i, id in ipairs(ids) do
  local status = entries[i] and string.match(entries[i], '^%d+:([^:]*)') or ''
  -- What it was told of is gone there; what it refused at first it never had.
  if (status ~= '' or ARGV[3] == '1') and status ~= 'killed' and status ~= 'withdrawn' and status ~= 'refused-published' then
    answer[#answer + 1] = id
    answer[#answer + 1] = tonumber(found[2 * i])
    answer[#answer + 1] = redis.call('HGET', KEYS[2], id)
    answer[#answer + 1] = entries[i] or ''
  end
end
return answer
