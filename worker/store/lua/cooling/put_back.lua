-- with changes/state.part endpoints/ledger.part
-- Put back into a feed what the record has of an article there. What is newer in Redis stays. All that is written has a
-- stamp, so that whoever has read it before and is about to take it out finds it changed.
-- KEYS 1 meta   2 log   3 members   4 article states   5 killed   6 left   then the ledger of each endpoint
-- ARGV 1 article   2 stamp   3 version   4 asof (ms)   5 state   6 1 when it is unseen   7 previous_seq, or ''
--      8 number of its latest change   9 place   then its entry in each of these ledgers
local article, stamp = ARGV[1], ',"warm":"' .. ARGV[2] .. '"}'
local text = redis.call('HGET', KEYS[4], article)
local before = read_article_state(text)
local version, asof, state, seq = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[8])
if not before or before.version < version or (before.version == version and before.asof <= asof) then
  local after = write_article_state(ARGV[3], ARGV[4], state, ARGV[6] == '1', tonumber(ARGV[7]))
  redis.call('HSET', KEYS[4], article, string.sub(after, 1, -2) .. stamp)
  redis.call('ZADD', KEYS[2], 'NX', seq, article)
  if state == 'in' and redis.call('ZADD', KEYS[3], 'NX', ARGV[9], article) == 1 then
    if tonumber(redis.call('HGET', KEYS[1], 'cold') or '0') > 0 then
      redis.call('HINCRBY', KEYS[1], 'cold', -1)
    end
  elseif state == 'killed' and seq > 0 then
    redis.call('ZADD', KEYS[5], 'NX', seq, article)
  elseif state == 'out' and seq > 0 then
    redis.call('ZADD', KEYS[6], 'NX', seq, article)
  end
end
for n = 7, #KEYS do
  local entry = ARGV[n + 3]
  local there, ours = read_entry(redis.call('HGET', KEYS[n], article)), read_entry(entry)
  if not there or there.version < ours.version or (there.version == ours.version and there.at <= ours.at) then
    redis.call('HSET', KEYS[n], article, string.sub(entry, 1, -2) .. stamp)
  end
end
