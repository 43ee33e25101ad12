-- What a feed's log has after a cursor.
-- KEYS 1 meta   2 log   3 article states   4 members
-- ARGV 1 cursor   2 most changes
-- Returns {head, changed, kill, killed, arranged, placed}, then for each change, the oldest first, its article, its
-- number, the article's state ('' when it is lost) and place ('' when it is not in the feed).
local answer = {redis.call('HMGET', KEYS[1], 'head', 'changed', 'kill', 'killed', 'arranged', 'placed')}
local log = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #log, 2 do
  answer[#answer + 1] = log[i]
  answer[#answer + 1] = log[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[3], log[i]) or ''
  answer[#answer + 1] = redis.call('ZSCORE', KEYS[4], log[i]) or ''
end
return answer
