-- with changes/state.part
-- Place an article in a feed, or take it out, because the feed is new or has a new definition. No receiver gets it: in
-- the log it stands before all cursors, and the head stays.
-- KEYS 1 log   2 members   3 article states   4 tombstones   5 meta   6 killed   7 left
-- ARGV 1 article   2 version   3 asof (ms)   4 state: in, out, killed or early   5 place (when in)
-- Returns 1 when readers will see a difference, so that the documents are to be refreshed, else 0.
local article, state = ARGV[1], ARGV[4]
local text = redis.call('HGET', KEYS[3], article)
local leaves = state == 'out' or state == 'killed'
local before
if text then
  -- Damaged: the new state replaces it.
  before = read_article_state(text) or {version = -1, asof = 0, state = 'in'}
  if outdated(before, tonumber(ARGV[2]), tonumber(ARGV[3])) then
    return 0
  end
elseif leaves then
  return 0
end
if state == 'in' then
  redis.call('HSET', KEYS[3], article, write_article_state(ARGV[2], ARGV[3], state))
  redis.call('ZREM', KEYS[6], article)
  redis.call('ZREM', KEYS[7], article)
  redis.call('ZADD', KEYS[1], 'NX', 0, article)
  redis.call('ZREM', KEYS[4], article)
  if redis.call('ZADD', KEYS[2], 'CH', ARGV[5], article) == 1 then
    redis.call('HSET', KEYS[5], 'refresh_due', 1)
  end
  return redis.call('HEXISTS', KEYS[5], 'refresh_due')
end
if state == 'early' then
  local unseen, previous_seq = true, nil
  if before then
    unseen = before.state ~= 'in' and before.unseen
    previous_seq = before.state ~= 'in' and before.previous_seq or nil
  end
  redis.call('HSET', KEYS[3], article, write_article_state(ARGV[2], ARGV[3], state, unseen, previous_seq))
  redis.call('ZADD', KEYS[1], 'NX', 0, article)
  return 0
end
local previous_seq = before.previous_seq
if before.state == 'in' or before.state == 'early' then
  previous_seq = previous_seq or redis.call('ZSCORE', KEYS[1], article) or 0
  redis.call('ZADD', KEYS[1], 'XX', 0, article)
end
redis.call('HSET', KEYS[3], article, write_article_state(ARGV[2], ARGV[3], state, before.unseen, previous_seq))
if redis.call('ZREM', KEYS[2], article) == 1 then
  redis.call('HSET', KEYS[5], 'refresh_due', 1)
end
return redis.call('HEXISTS', KEYS[5], 'refresh_due')
