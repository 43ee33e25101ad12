-- with outboxes/append.part receivers/removal.part receivers/state.part
-- End claims, each with its outcome. A claim whose token is no longer the receiver's is ignored (fencing).
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states   7 receivers   8 leases
--      9 subscription counts   10 outbox
-- ARGV 1 now (ms)   2 how many are done   then for each of these: receiver, token, cursor
--      then for each other one: receiver, token, verb, cursor, due (ms), since (ms), last (ms), until (ms), reason
--      done: -> settled(cursor)      verb: back -> settled(cursor), failing as before
--            retry -> backoff(due)         pause -> paused(now)       end -> removed
-- Returns {how many of them are behind the head again, receivers that were fenced off ...}.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local answer = {0}
local others = 3 + 3 * ARGV[2]

-- Nearly all are done, so these go together; a few hundred at a time, since Lua passes no more arguments than fit.
for first = 3, others - 1, 1500 do
  local ids = {}
  for i = first, math.min(first + 1499, others - 1), 3 do
    ids[#ids + 1] = ARGV[i]
  end
  local states = redis.call('HMGET', KEYS[6], unpack(ids))
  local deadlines = redis.call('ZMSCORE', KEYS[3], unpack(ids))
  local places, settled = {}, {}
  for n, id in ipairs(ids) do
    local token, cursor = ARGV[first + 3 * n - 2], ARGV[first + 3 * n - 1]
    local claim, remembered = read_receiver_state(states[n])
    if remembered and claim.token == tonumber(token) and deadlines[n] then
      places[#places + 1] = cursor
      places[#places + 1] = id
      settled[#settled + 1] = id
      if tonumber(cursor) < head then
        answer[1] = answer[1] + 1
      end
    else
      answer[#answer + 1] = id
    end
  end
  if #settled > 0 then
    redis.call('ZREM', KEYS[3], unpack(settled))
    redis.call('ZADD', KEYS[2], unpack(places))
    redis.call('HDEL', KEYS[6], unpack(settled))
  end
end

for i = others, #ARGV, 9 do
  local id, token, verb, cursor, due = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local claim, remembered = read_receiver_state(redis.call('HGET', KEYS[6], id))
  if remembered and claim.token == tonumber(token) and redis.call('ZREM', KEYS[3], id) == 1 then
    local state = {
      token = 0, cursor = tonumber(cursor), since = tonumber(ARGV[i + 5]), last = tonumber(ARGV[i + 6]),
      ['until'] = tonumber(ARGV[i + 7]), reason = ARGV[i + 8],
    }
    if verb == 'back' then
      redis.call('ZADD', KEYS[2], cursor, id)
      keep_unless_plain(KEYS[6], id, state, ARGV[1])
      if tonumber(cursor) < head then
        answer[1] = answer[1] + 1
      end
    elseif verb == 'end' then
      remove(id, {KEYS[8]}, KEYS[6], KEYS[7], KEYS[9], KEYS[10], state.reason)
    else
      redis.call('ZADD', verb == 'pause' and KEYS[5] or KEYS[4], verb == 'pause' and ARGV[1] or due, id)
      redis.call('HSET', KEYS[6], id, cjson.encode(state))
      if verb == 'pause' then
        append_standing(KEYS[10], id, cursor, tonumber(ARGV[1]), state.reason)
      end
    end
  else
    answer[#answer + 1] = id
  end
end
return answer
