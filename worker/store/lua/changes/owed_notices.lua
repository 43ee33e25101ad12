-- with endpoints/ledger.part
-- List the articles that have left a feed and that an endpoint still has, the oldest first.
-- KEYS 1 those that have left (killed or left)   2 article states   3 ledger of the endpoint
-- ARGV 1 after which change   2 how many are checked, at the most   3 1 when the endpoint may have articles that its
--      ledger does not list
-- Returns {the last change that was checked, or 0 when that was all; article, change, state, its entry in the ledger,
-- ...}.
local left = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answer = {0}
if #left == 0 then
  return answer
end
if #left == 2 * ARGV[2] then
  answer[1] = tonumber(left[#left])
end
local ids = {}
for i = 1, #left, 2 do
  ids[#ids + 1] = left[i]
end
local ledger = redis.call('HMGET', KEYS[3], unpack(ids))
for i, id in ipairs(ids) do
  local entry = read_entry(ledger[i])
  -- Of a damaged entry only this is known: the endpoint was sent something.
  local owed = ARGV[3] == '1' or (ledger[i] and not entry)
  if entry then
    local has_notice = (entry.status == 'killed' or entry.status == 'withdrawn') and not entry.outcome
    -- It refused the first message about the article, so it never had it.
    local never_had = entry.status == 'published' and entry.outcome == 'refused'
    owed = not has_notice and not never_had
  end
  if owed then
    answer[#answer + 1] = id
    answer[#answer + 1] = tonumber(left[2 * i])
    answer[#answer + 1] = redis.call('HGET', KEYS[2], id)
    answer[#answer + 1] = ledger[i] or ''
  end
end
return answer
