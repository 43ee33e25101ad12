-- with cooling/needs.part
-- Read all that a feed has of an article, and whether it needs it.
-- KEYS 1 ... as in cooling/needs.part
-- ARGV 1 article   2 how many members at the top stay   3 ... endpoints
-- Returns {why it is needed, or ''; state as JSON; number of its latest change; place; numbers in killed and in left;
-- its entry in the ledger of each endpoint ...}; '' for what is not there.
local article = ARGV[1]
local answer = {
  need(article, tonumber(ARGV[2]), {unpack(ARGV, 3)}) or '',
  redis.call('HGET', KEYS[4], article) or '',
  redis.call('ZSCORE', KEYS[2], article) or '',
  redis.call('ZSCORE', KEYS[3], article) or '',
  redis.call('ZSCORE', KEYS[6], article) or '',
  redis.call('ZSCORE', KEYS[7], article) or '',
}
for first = FIRST_ENDPOINT, #KEYS, KEYS_OF_ENDPOINT do
  answer[#answer + 1] = redis.call('HGET', KEYS[first], article) or ''
end
return answer
