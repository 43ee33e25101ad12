-- with changes/head.part changes/state.part
-- Record the state of an article in a feed as of a moment in the feed's change log. Running it again changes nothing.
-- KEYS 1 meta   2 log   3 members   4 article states   5 tombstones   6 killed   7 left
-- ARGV 1 article   2 version   3 asof (ms)   4 state: in, out, killed or early   5 place (when in)
--      6 tombstones to keep   7 feed   8 channel of changes   9 channel of withdrawals
--      10 1 when receivers may have the article by a change that this log has lost
-- Returns the change's sequence number, or 0 when there is nothing new.
local article, version, asof, state = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local text = redis.call('HGET', KEYS[4], article)
local leaves = state == 'out' or state == 'killed'
local lost = ARGV[10] == '1' and leaves
local before
if text then
  -- Damaged: all receivers that may have the article get the change.
  before = read_article_state(text) or {version = -1, asof = 0, state = 'in'}
  if outdated(before, version, asof) then
    return 0
  end
elseif leaves and not lost then
  return 0
end
before = before or {state = 'none', unseen = true}
lost = lost and before.unseen
if lost then
  before = {state = 'in'}
end
-- Whether receivers may have got the article by way of this feed until now.
local listed = before.state == 'in' or before.state == 'early'
local unseen = before.unseen and state ~= 'in'
local previous_seq
if leaves and not lost then
  previous_seq = listed and (redis.call('ZSCORE', KEYS[2], article) or 0) or before.previous_seq
end
local after = write_article_state(ARGV[2], ARGV[3], state, unseen, previous_seq)
if before.state == state and (leaves or version == before.version) then
  -- Receivers get nothing; but a decision older than this one must not win later.
  redis.call('HSET', KEYS[4], article, after)
  return 0
end
local seq = advance(KEYS[1])
redis.call('ZADD', KEYS[2], seq, article)
redis.call('HSET', KEYS[4], article, after)
local hidden = state == 'early' and before.state == 'in'
if listed and (leaves or hidden) then
  redis.call('PUBLISH', ARGV[9], cjson.encode({gone = {{ARGV[7], article}}}))
end
redis.call('ZREM', KEYS[6], article)
redis.call('ZREM', KEYS[7], article)
if state == 'killed' then
  redis.call('HSET', KEYS[1], 'kill', seq, 'killed', ARGV[3])
  redis.call('ZADD', KEYS[6], seq, article)
elseif state == 'out' or hidden then
  redis.call('HSET', KEYS[1], 'left', seq)
  redis.call('ZADD', KEYS[7], seq, article)
end
if state == 'in' then
  redis.call('ZADD', KEYS[3], ARGV[5], article)
  redis.call('ZREM', KEYS[5], article)
elseif before.state == 'in' or (leaves and not unseen) then
  redis.call('ZREM', KEYS[3], article)
  redis.call('ZADD', KEYS[5], asof, article)
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1 - tonumber(ARGV[6]))
else
  -- Readers see no difference.
  return seq
end
if asof > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[3])
end
publish_head(KEYS[1], ARGV[8], ARGV[7], seq)
return seq
