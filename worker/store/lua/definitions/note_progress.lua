-- Note how far one pass of the index has come.
-- KEYS 1 index
-- ARGV 1 generation of the charge   2 name of the pass   3 how far it is, as JSON
-- Returns 0 when a later charge has been adopted, else 1.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
