-- with known_ids/filter.part
-- Ask whether ids may be known.
-- KEYS 1 bits   2 hash: `complete`: the epoch of the record whose ids it all has
-- ARGV 1 and 2, 3 and 4 ... two numbers of 32 bits for each id
-- Returns {the epoch of the record whose ids the filter has all, or ''; 1 when articles were ever taken out of this Redis
-- because they were cold, else 0; for each id 1 when it may be known, 0 when it is
-- new for sure ...}.
local stage = tonumber(redis.call('HGET', KEYS[2], 'stage') or '0')
local complete = redis.call('HGET', KEYS[2], 'complete') or ''
if complete ~= '' and redis.call('HEXISTS', KEYS[2], 'count') == 1 and redis.call('EXISTS', KEYS[1]) == 0 then
  -- The bits are lost.
  complete = ''
end
local answer = {complete, redis.call('HEXISTS', KEYS[2], 'trimmed')}
for i = 1, #ARGV, 2 do
  answer[#answer + 1] = may_be_known(KEYS[1], stage, tonumber(ARGV[i]), tonumber(ARGV[i + 1])) and 1 or 0
end
return answer
