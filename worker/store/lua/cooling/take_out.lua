-- with cooling/needs.part
-- Take all that a feed has of an article out of it, if it is as it was read and the feed does not need it.
-- KEYS 1 ... as in cooling/needs.part
-- ARGV 1 article   2 how many members at the top stay   3 its state as it was read, or ''
--      4 ... of each endpoint: its name, and the entry in its ledger as it was read, or ''
-- Returns '' when nothing of it is there any longer; else why it was left: as in cooling/examine, or `changed`.
local article, endpoints = ARGV[1], {}
local changed = (redis.call('HGET', KEYS[4], article) or '') ~= ARGV[3]
for i = 4, #ARGV, 2 do
  endpoints[#endpoints + 1] = ARGV[i]
  local ledger = KEYS[FIRST_ENDPOINT + KEYS_OF_ENDPOINT * (#endpoints - 1)]
  changed = changed or (redis.call('HGET', ledger, article) or '') ~= ARGV[i + 1]
end
local reason = changed and 'changed' or need(article, tonumber(ARGV[2]), endpoints)
if reason then
  return reason
end
if redis.call('ZREM', KEYS[3], article) == 1 then
  redis.call('HINCRBY', KEYS[1], 'cold', 1)
end
redis.call('ZREM', KEYS[2], article)
redis.call('ZREM', KEYS[6], article)
redis.call('ZREM', KEYS[7], article)
redis.call('HDEL', KEYS[4], article)
for first = FIRST_ENDPOINT, #KEYS, KEYS_OF_ENDPOINT do
  redis.call('HDEL', KEYS[first], article)
end
return ''
