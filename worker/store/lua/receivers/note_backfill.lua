-- Note how far the backfill of an endpoint is: the articles that were published before it came.
-- KEYS 1 receivers
-- ARGV 1 receiver   2 how far its backfill is, or '' when it is complete
local details = redis.call('HGET', KEYS[1], ARGV[1])
if details then
  details = cjson.decode(details)
  details.backfill = ARGV[2] ~= '' and ARGV[2] or nil
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(details))
end
