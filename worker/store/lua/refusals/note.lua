-- Keep that the gate refused a version of an article.
-- KEYS 1 hash: article -> JSON [version, time, reasons]
-- ARGV 1 article   2 version   3 JSON
-- Returns 1, or 0 when this version's refusal, or a newer one's, is kept already.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and cjson.decode(held)[1] >= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
