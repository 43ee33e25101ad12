-- with outboxes/append.part receivers/removal.part receivers/state.part
-- End a verification of intent, unless a newer request for the same subscription has replaced this one.
-- KEYS 1 verifications due   2 subscription requests   3 receivers   4 settled   5 claimed   6 backoff   7 paused
--      8 receiver states   9 leases   10 subscription counts   11 outbox
-- ARGV 1 subscription   2 the request JSON that was verified   3 verb   4 details JSON   5 time (ms)
--      6, 7 how many subscriptions one callback host and one client may have
--      verb: subscribe (time: end of the lease)   unsubscribe   refuse   retry (time: when; details: the new request)
-- Returns 0 when superseded, 1 done, 2 done and the subscription is new, 3 not done: the host has too many,
-- 4 the client.
local id, verb = ARGV[1], ARGV[3]
if redis.call('HGET', KEYS[2], id) ~= ARGV[2] then
  return 0
end
if verb == 'retry' then
  redis.call('ZADD', KEYS[1], ARGV[5], id)
  redis.call('HSET', KEYS[2], id, ARGV[4])
  return 1
end
redis.call('ZREM', KEYS[1], id)
redis.call('HDEL', KEYS[2], id)
if verb == 'subscribe' then
  local before = redis.call('HGET', KEYS[3], id)
  if before then
    count(KEYS[10], before, -1)
  else
    local subscription = cjson.decode(ARGV[4])
    for n, name in ipairs({'host:' .. subscription.host, 'client:' .. subscription.client}) do
      if tonumber(redis.call('HGET', KEYS[10], name) or '0') >= tonumber(ARGV[5 + n]) then
        return 2 + n
      end
    end
  end
  count(KEYS[10], ARGV[4], 1)
  redis.call('HSET', KEYS[3], id, ARGV[4])
  redis.call('ZADD', KEYS[9], ARGV[5], id)
  append(KEYS[11], 'subscription', {id, ARGV[4], ARGV[5], before and 0 or 1})
  if not before then
    -- Cursor 0: it is behind, so the current feed is its first push.
    redis.call('ZADD', KEYS[4], 0, id)
    return 2
  end
  if redis.call('ZREM', KEYS[6], id) == 1 then
    -- It has just answered: there is no reason to wait longer.
    redis.call('ZADD', KEYS[4], read_receiver_state(redis.call('HGET', KEYS[8], id)).cursor, id)
  end
elseif verb == 'unsubscribe' then
  remove(id, {KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[9]}, KEYS[8], KEYS[3], KEYS[10], KEYS[11],
    'unsubscribed')
end
return 1
