-- with receivers/removal.part
-- End claims with what came of them. A claim whose token is no longer the receiver's is passed over (fencing).
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 holds   7 receivers   8 leases   9 counts
-- ARGV 1 now (ms)   then for each receiver:  receiver, token, verb, cursor, due (ms), since (ms), last (ms), until (ms),
--      reason
--      verb: done  -> settled(cursor)       back -> settled(cursor), failing as it was
--            retry -> backoff(due)          pause -> paused(now)       end -> removed
-- Returns {how many of them are behind the head again, receivers that were fenced off ...}.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local answer = {0}
for i = 2, #ARGV, 9 do
  local id, token, verb, cursor, due = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local rest = table.concat({ARGV[i + 5], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8]}, ':')
  local hold = redis.call('HGET', KEYS[6], id)
  if hold and string.match(hold, '^(%d+):') == token and redis.call('ZREM', KEYS[3], id) == 1 then
    if verb == 'done' or verb == 'back' then
      redis.call('ZADD', KEYS[2], cursor, id)
      local free = string.match(rest, '^0:%d+:(%d+):')
      if verb == 'done' or (free and tonumber(free) <= tonumber(ARGV[1])) then
        redis.call('HDEL', KEYS[6], id)
      else
        redis.call('HSET', KEYS[6], id, '0:' .. cursor .. ':' .. rest)
      end
      if tonumber(cursor) < head then
        answer[1] = answer[1] + 1
      end
    elseif verb == 'end' then
      remove(id, {KEYS[8]}, KEYS[6], KEYS[7], KEYS[9])
    else
      redis.call('ZADD', verb == 'pause' and KEYS[5] or KEYS[4], verb == 'pause' and ARGV[1] or due, id)
      redis.call('HSET', KEYS[6], id, '0:' .. cursor .. ':' .. rest)
    end
  else
    answer[#answer + 1] = id
  end
end
return answer
