-- Note that the quality gate refused a version of an article.
-- KEYS 1 hash: article -> JSON {version, time, reasons}
-- ARGV 1 article   2 version   3 JSON
-- Returns 1, or 0 when the refusal of this version, or of a newer one, is noted already.
local before = redis.call('HGET', KEYS[1], ARGV[1])
local readable, refusal = pcall(cjson.decode, before or '')
if readable and type(refusal) == 'table' and (tonumber(refusal.version) or -1) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
